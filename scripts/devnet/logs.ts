import { readFileSync } from 'node:fs'
import type { NodeEntry } from './files.ts'

interface Line {
  readonly at: string
  readonly text: string
}

/** The logs of these nodes in one order of time. Lines that carry no time (banner, drain) stay behind the line before them. */
export function mergedLogs(nodes: readonly Pick<NodeEntry, 'name' | 'log'>[]): string[] {
  const lines = nodes.flatMap(({ name, log }) => {
    let at = ''
    return readFileSync(log, 'utf8')
      .split('\n')
      .filter(text => text !== '')
      .map((text): Line => {
        at = timeOf(text) ?? at
        return { at, text: `${name} ${text}` }
      })
  })
  // Stable, so that lines of one node and one moment keep their order.
  return lines.sort((left, right) => compare(left.at, right.at)).map(({ text }) => text)
}

function compare(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

const timeOf = (line: string): string | undefined => /"t":"([^"]+)"/.exec(line)?.[1]
