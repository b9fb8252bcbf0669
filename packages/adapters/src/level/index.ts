/** The node's database on disk: LevelDB behind the `Store` port, one part per room. */
export { type Database, openDatabase } from './database.ts'
