import type { Fact } from '../events.ts'

/** What the observer hears, to tell edges outside the bus: subscriptions, status line, metrics. */
export type ObserverMessage = Fact
