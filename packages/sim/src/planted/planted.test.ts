import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { plantedBugs } from './index.ts'

const src = fileURLToPath(new URL('..', import.meta.url))

/** Files of the room outside this folder, but for its entrance. */
function others(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    name => name.endsWith('.ts') && !name.startsWith('planted') && name !== 'index.ts',
  )
}

test('nothing that checks or runs a world knows of planted bugs', () => {
  const knowing = others().filter(name =>
    /from '[./]*planted\//.test(readFileSync(`${src}/${name}`, 'utf8')),
  )

  expect(knowing).toEqual([])
})

test('every planted bug says what it does wrong and which invariant notices', () => {
  for (const [name, { about, fires, seeds }] of plantedBugs) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(about).not.toBe('')
    expect(fires.length).toBeGreaterThan(0)
    expect(seeds).toBeLessThanOrEqual(200)
  }
})
