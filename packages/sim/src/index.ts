/**
 * A world of N nodes under one seed: network, disk, chain, faults, workloads and the books of what must hold. Not here: real time, real I/O
 * and whatever starts a run (`apps/sim`).
 */
export type * from './api.ts'
