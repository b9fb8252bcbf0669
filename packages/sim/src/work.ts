import type { WorldView } from './api.ts'
import { attacks } from './evil/attacks.ts'
import type { WorkDeeds } from './plan-driver.ts'
import { appointments } from './tower-client.ts'
import { transfers } from './workload.ts'

/** Transactions and attacks of a plan, as things done to a world. */
export function workDeeds(world: WorldView): WorkDeeds {
  return { tx: transfers(world), appoint: appointments(world), attack: attacks(world) }
}
