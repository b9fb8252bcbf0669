import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const here = new URL('./', import.meta.url)

test('the main entry reaches no package at all; only the host of machines imports xstate', () => {
  const source = (file: string) => readFileSync(new URL(file, here), 'utf8')
  const importsOf = (file: string) =>
    [...source(file).matchAll(/from '([^']+)'/g)].map(match => match[1] as string)
  const reached = new Set<string>()
  const visit = (file: string) => {
    if (reached.has(file)) return
    reached.add(file)
    for (const target of importsOf(file)) {
      expect(target, `${file} imports ${target}`).toMatch(/^\.\//)
      visit(target.slice(2))
    }
  }
  visit('index.ts')

  const importers = readdirSync(here).filter(
    file =>
      !file.includes('.test.') && !file.includes('.bench.') && /from 'xstate/.test(source(file)),
  )
  expect(importers).toEqual(['xstate.ts'])
  expect(reached).not.toContain('xstate.ts')
})

test('the kernel stays small: bus, cell and context are 500 lines together', () => {
  const lines = ['bus.ts', 'cell.ts', 'context.ts'].map(
    file => readFileSync(new URL(file, here), 'utf8').split('\n').length - 1,
  )

  expect(lines.reduce((a, b) => a + b)).toBeLessThanOrEqual(500)
})

test('the main entry loads where xstate cannot be resolved', () => {
  const loader = `data:text/javascript,${encodeURIComponent(
    "export const resolve = (name, context, next) => { if (name.startsWith('xstate')) throw new Error('no xstate'); return next(name, context) }",
  )}`
  const script = `
    import { register } from 'node:module'
    register(${JSON.stringify(loader)})
    const { Bus, VirtualClock } = await import(${JSON.stringify(new URL('index.ts', here).href)})
    new Bus({ clock: new VirtualClock() })
    const host = await import(${JSON.stringify(new URL('xstate.ts', here).href)}).catch(error => error.message)
    console.log(host)
  `

  const out = execFileSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    {
      cwd: fileURLToPath(here),
      encoding: 'utf8',
    },
  )

  expect(out).toContain('no xstate')
})
