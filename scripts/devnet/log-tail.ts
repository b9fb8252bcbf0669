import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** One line of a node's log. */
export interface LogLine {
  /** Epoch ms. */
  readonly atMs: number
  readonly code: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Reads what a node has logged since it was asked last. The file stays the same over restarts of the node. */
export function tailLog(file: string) {
  let offset = 0
  let rest = ''

  function grown(): string {
    const handle = openSync(file, 'r')
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - offset))
      offset += readSync(handle, bytes, 0, bytes.length, offset)
      return bytes.toString('utf8')
    } finally {
      closeSync(handle)
    }
  }

  return (): readonly LogLine[] => {
    const texts = `${rest}${grown()}`.split('\n')
    rest = texts.pop() ?? ''
    return texts.flatMap(text => parsed(text) ?? [])
  }
}

/** Banners and the lines of a drain are no records. */
function parsed(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const { t, code, ...fields } = JSON.parse(text) as Record<string, unknown>
    return typeof t === 'string' && typeof code === 'string'
      ? { atMs: Date.parse(t), code, fields }
      : undefined
  } catch {
    return undefined
  }
}
