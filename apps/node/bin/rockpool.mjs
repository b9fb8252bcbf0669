#!/usr/bin/env node
import { existsSync } from 'node:fs'

const main = new URL('../dist/main.js', import.meta.url)
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isTooOld = major < 20 || (major === 20 && minor < 19)

if (isTooOld) {
  console.error(
    `Rockpool needs Node 20.19 or newer; this is v${process.versions.node}. See https://nodejs.org`,
  )
  process.exitCode = 2
} else if (existsSync(main)) await import(main.href)
else {
  console.error(
    'rockpool is not built yet: run "npm run build" (or "npm start") in the checkout first',
  )
  process.exitCode = 2
}
