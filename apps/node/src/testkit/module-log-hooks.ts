import { appendFileSync } from 'node:fs'
import type { InitializeHook, LoadHook } from 'node:module'

let file = ''

export const initialize: InitializeHook<{ file: string }> = data => {
  file = data.file
}

export const load: LoadHook = (url, context, nextLoad) => {
  appendFileSync(file, `${url}\n`)
  return nextLoad(url, context)
}
