import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

/** With `node --import` this file writes the URL of every module that is loaded into the file named here, and changes nothing else. */
export const moduleLogVariable = 'MODULE_LOG'

const file = process.env[moduleLogVariable]
if (isMainThread && file !== undefined)
  register(new URL('./module-log-hooks.js', import.meta.url), { data: { file } })
