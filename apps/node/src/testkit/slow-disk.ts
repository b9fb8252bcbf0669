import { existsSync, promises } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/** With `node --import` this file makes writes of recordings wait as long as the file named by `SLOW_DISK` is there. */
const gate = process.env.SLOW_DISK ?? ''
const { open } = promises
const lookMs = 20

async function openSlow(...args: Parameters<typeof open>) {
  const handle = await open(...args)
  if (!String(args[0]).endsWith('.rprec')) return handle
  const { write } = handle
  const value = async (...written: unknown[]) => {
    while (existsSync(gate)) await new Promise(resolve => setTimeout(resolve, lookMs))
    return Reflect.apply(write, handle, written) as unknown
  }
  return Object.defineProperty(handle, 'write', { value })
}

Object.defineProperty(promises, 'open', { value: openSlow })
syncBuiltinESMExports()
