/**
 * Counts the numbered behaviours of the watchtower that have a test: a test names them in its title, `tower B14 B15: …`, a range as
 * `B138-B149`. Prints how many and those without one.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const last = 326
const title = /tower ((?:[BV]\d+(?:-[BV]\d+)?[ :]+)+)/g

function tests(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts') && !/node_modules|dist\//.test(name))
    .map(name => join(root, folder, name))
}

const named = new Set<number>()
for (const file of ['packages', 'apps', 'scripts'].flatMap(tests)) {
  for (const [, numbers = ''] of readFileSync(file, 'utf8').matchAll(title)) {
    for (const [, from, to] of numbers.matchAll(/B(\d+)(?:-B(\d+))?/g)) {
      for (let each = Number(from); each <= Number(to ?? from); each += 1) named.add(each)
    }
  }
}

const missing = Array.from({ length: last }, (_, at) => at + 1).filter(each => !named.has(each))
console.log(`${named.size} of ${last} behaviours have a test`)
console.log(`without one: ${ranges(missing)}`)

function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = []
  for (const each of numbers) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === each - 1) run[1] = each
    else runs.push([each, each])
  }
  return runs.map(([from, to]) => (from === to ? `B${from}` : `B${from}-B${to}`)).join(' ')
}
