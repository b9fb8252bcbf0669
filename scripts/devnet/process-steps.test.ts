import { expect, test } from 'vitest'
import { withSettings } from './process-steps.ts'

const text = `# Written by the devnet launcher.
[p2p]
profile = "devnet"

[devnet]
control = true
`

test('settings go into their sections, and what was said before is replaced', () => {
  const once = withSettings(text, { 'devnet.clock-drift-ppm': -300, 'txpool.globalslots': 64 })
  expect(once).toBe(`# Written by the devnet launcher.
[p2p]
profile = "devnet"

[devnet]
clock-drift-ppm = -300
control = true

[txpool]
globalslots = 64
`)
  const again = withSettings(once, { 'txpool.globalslots': 65, 'devnet.clock-offset': '-2s' })
  expect(again).toContain('[txpool]\nglobalslots = 65\n')
  expect(again).toContain('[devnet]\nclock-offset = "-2s"\nclock-drift-ppm = -300\n')
})
