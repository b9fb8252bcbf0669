import { type Code, CodedError } from '../errors.ts'

/** Rethrows what LevelDB said under the code the rest of the node knows; the original stays as the cause. */
export function codedAs(error: unknown): never {
  const code = codeOf(error)
  throw new CodedError(code, `${code}: ${textOf(error)}`, { cause: error })
}

/** The reason may hide one level down: a locked database says only "not open" itself. */
function codeOf(error: unknown): Code {
  const outer = levelCode(error)
  const inner = error instanceof Error ? levelCode(error.cause) : undefined
  if (outer === 'LEVEL_LOCKED' || inner === 'LEVEL_LOCKED') return 'store/locked'
  if (outer === 'LEVEL_CORRUPTION' || inner === 'LEVEL_CORRUPTION') return 'store/corrupt'
  const text = textOf(error)
  if (/no space left|ENOSPC|disk quota/i.test(text)) return 'store/full'
  if (/corruption/i.test(text)) return 'store/corrupt'
  // A file of the database that is missing, or shorter than its index says.
  if (/IO error: .*: (No such file|Invalid argument)/.test(text)) return 'store/corrupt'
  if (outer === 'LEVEL_DATABASE_NOT_OPEN' && inner === undefined) return 'store/closed'
  if (outer === 'LEVEL_ITERATOR_NOT_OPEN') return 'store/closed'
  return 'store/io'
}

function levelCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return String(error.code)
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
