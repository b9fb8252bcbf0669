import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const here = new URL('./', import.meta.url)

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
