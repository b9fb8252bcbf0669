/** The node's database without its engine: rooms, commits that batches share, and what is done after a write failed. */
export { createDatabase, type DatabaseParts, type DatabaseRooms } from './database.ts'
export type { Engine, Operation } from './engine.ts'
export { codedAs } from './store-errors.ts'
