/**
 * Scenarios: a network, what happens to it and what is expected of it, written once as data and run by three gears. See docs/scenarios.md.
 */
export * from './scenario/build.ts'
