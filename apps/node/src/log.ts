import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from 'pino'
import pino from 'pino'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** Fields of one line; text of strangers never above debug, keys never at all. */
type Fields = Readonly<Record<string, unknown>>

export interface Log {
  /** One line: a stable code `room/reason` and its fields. */
  line(level: Level, code: string, fields?: Fields): void
  /** The same for rooms that name the level first. */
  readonly room: Readonly<Record<Level, (code: string, fields?: Record<string, unknown>) => void>>
  /** Everything written so far is on its way to disk or terminal. */
  flush(): void
}

/** Lines of one code above this many a second are summed up instead. */
const repeatsPerSecond = 10

/** JSON lines through pino; pretty ones on a terminal. */
export function createLog(options: {
  level: Level
  format: 'auto' | 'json' | 'pretty'
  file?: string
}): Log {
  const pretty =
    options.format === 'pretty' ||
    (options.format === 'auto' && options.file === undefined && process.stdout.isTTY)
  if (options.file !== undefined) mkdirSync(dirname(options.file), { recursive: true })
  const destination = pino.destination({ dest: options.file ?? 1, sync: true, mkdir: true })
  const logger = pretty
    ? pino(jsonOptions(options.level), prettyStream())
    : pino(jsonOptions(options.level), destination)
  const line = withRepeatsSummed(logger)
  const at = (level: Level) => (code: string, fields?: Record<string, unknown>) =>
    line(level, code, fields)
  return {
    line,
    room: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    flush: () => {
      if (!pretty) destination.flushSync()
    },
  }
}

function jsonOptions(level: Level): pino.LoggerOptions {
  return {
    level,
    base: null,
    timestamp: () => `,"t":"${new Date().toISOString()}"`,
    formatters: { level: label => ({ level: label }) },
  }
}

function withRepeatsSummed(logger: Logger): Log['line'] {
  let second = 0
  let counts = new Map<string, number>()
  return (level, code, fields) => {
    if (!logger.isLevelEnabled(level)) return
    const now = Math.floor(Date.now() / 1_000)
    if (now !== second) {
      for (const [repeated, count] of counts)
        if (count > repeatsPerSecond)
          logger.warn({
            room: roomOf(repeated),
            code: repeated,
            repeated: count - repeatsPerSecond,
          })
      second = now
      counts = new Map()
    }
    const count = (counts.get(code) ?? 0) + 1
    counts.set(code, count)
    if (count <= repeatsPerSecond)
      logger[level]({ room: roomOf(code), code, ...(fields && escaped(fields)) })
  }
}

const roomOf = (code: string): string => code.split('/')[0] ?? code

/** Long text is cut and control characters are escaped by JSON; bigints become decimal text. */
function escaped(fields: Fields): Fields {
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'bigint') out[name] = value.toString()
    else if (value instanceof Error) out[name] = value.message.slice(0, 200)
    else out[name] = typeof value === 'string' ? value.slice(0, 200) : value
  }
  return out
}

/** `12:00:00.123 info  pool   demoted-gap  nonce=7  #88123`: written by hand, since a line is fields and no message. */
function prettyStream(): pino.DestinationStream {
  return {
    write(line: string) {
      const {
        t,
        level,
        room,
        code,
        id,
        cause: _cause,
        actor: _actor,
        ...fields
      } = JSON.parse(line) as Record<string, unknown>
      const rest = Object.entries(fields).map(
        ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
      const reason = String(code).split('/').slice(1).join('/')
      const head = `${String(t).slice(11, 23)} ${String(level).padEnd(5)} ${String(room).padEnd(7)} ${reason}`
      process.stdout.write(
        `${[head, ...rest].join('  ')}${id === undefined ? '' : `  #${String(id)}`}\n`,
      )
    },
  }
}
