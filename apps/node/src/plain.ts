/** What is shown of a value at most: its depth, entries of a list or record, bytes and characters. */
const depthMax = 6
const entriesMax = 32
const bytesMax = 64
const textMax = 256

/** A message as JSON can hold it, for people: quantities as decimal text, bytes as hex, refs by their path; long things are cut. */
export function plainOf(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string')
    return value.length <= textMax ? value : `${value.slice(0, textMax)}…`
  if (typeof value === 'function') return '(function)'
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return bytesText(value)
  if (value instanceof Error) return value.message.slice(0, textMax)
  if ('tell' in value && 'path' in value) return `-> ${String(value.path)}`
  if (depth >= depthMax) return '…'
  if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
    const items = [...(value as Iterable<unknown>)]
    const shown = items.slice(0, entriesMax).map(item => plainOf(item, depth + 1))
    return items.length > entriesMax ? [...shown, `… ${items.length - entriesMax} more`] : shown
  }
  const entries = Object.entries(value).slice(0, entriesMax)
  return Object.fromEntries(entries.map(([name, item]) => [name, plainOf(item, depth + 1)]))
}

function bytesText(bytes: Uint8Array): string {
  const hex = `0x${Buffer.from(bytes.subarray(0, bytesMax)).toString('hex')}`
  return bytes.length > bytesMax ? `${hex}… (${bytes.length} bytes)` : hex
}
