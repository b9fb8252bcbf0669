/**
 * Text checks that the linter has no rule for. Each finding is one line `file:line: what`; any finding is exit code 1.
 *
 * - `*.actor.ts` files are the cast: each has its file of messages.
 * - Reply references travel only in the field `reply`, where the bus can follow them.
 * - Asks go up one ladder only, so that no cycle of asks can time itself out.
 * - A core room never spells an ambient clock, even inside a string of code.
 * - Nothing that runs or checks a world knows of planted bugs: nodes without them run the same code whether or not there are any.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const coreRooms = ['actor', 'protocol', 'chain', 'p2p', 'pool', 'tower', 'proxy', 'node', 'sim']
const findings: string[] = []

/** Lower asks higher, never the other way round; `chain` may be asked by everybody and asks nobody. */
const ladder = [
  ...['gossip', 'producer', 'sync', 'reconciler', 'tracker', 'watcher', 'responder', 'pool'],
  'chain',
]

function sources(folder: string): string[] {
  let names: string[] = []
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return []
  }
  return names.filter(name => name.endsWith('.ts')).map(name => join(folder, name))
}

function report(file: string, line: number, what: string): void {
  findings.push(`${relative(root, file)}:${line}: ${what}`)
}

function eachLine(file: string, look: (line: string, number: number) => void): void {
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => look(line, index + 1))
}

function checkActor(file: string): void {
  const actor = basename(file, '.actor.ts')
  const messages = join(root, 'packages/protocol/src/messages', `${actor}.ts`)
  try {
    readFileSync(messages)
  } catch {
    report(file, 1, `no messages/${actor}.ts for this actor`)
  }
  const rung = ladder.indexOf(actor)
  eachLine(file, (line, number) => {
    const asked = /ctx\.ask(?:<[^(]*>)?\(\s*(?:parts\.|refs\.)?(\w+)/.exec(line)?.[1]
    if (asked === undefined) return
    const target = ladder.indexOf(asked)
    if (target !== -1 && target <= rung) report(file, number, `${actor} may not ask ${asked}`)
  })
}

const ambient = /\b(?:Date\.now|performance\.now|Math\.random|process\.(?:env|hrtime|nextTick))\b/
const exempt = /(?:\.test|\.bench)\.ts$|\/testkit\/|actor\/src\/(?:clock|rng|tripwire)\.ts$/

for (const room of coreRooms) {
  for (const file of sources(join(root, 'packages', room, 'src'))) {
    if (file.endsWith('.actor.ts')) checkActor(file)
    if (exempt.test(file)) continue
    eachLine(file, (line, number) => {
      const code = line.replace(/^\s*(?:\*|\/\/|\/\*).*$/, '')
      const found = ambient.exec(code)
      if (found) report(file, number, `${found[0]} in a core room: take it through the context`)
    })
  }
}

for (const file of sources(join(root, 'packages/protocol/src/messages'))) {
  eachLine(file, (line, number) => {
    const field = /^\s*(\w+)\??: Reply</.exec(line)?.[1] ?? /[;{] (\w+)\??: Reply</.exec(line)?.[1]
    if (field !== undefined && field !== 'reply')
      report(file, number, `a Reply must be named reply`)
  })
}

const plantedFolder = join(root, 'packages/sim/src/planted/')
/** Who may take a planted bug by its name and put it into a world: the entrance of the room and the program. */
const planters = /packages\/sim\/src\/index\.ts$|apps\/sim\/src\/(?:run-history|commands\/\w+)\.ts$/
const plants = /['"/]planted\/|\bplantedBugs\b|\bPlanted\b/

for (const folder of ['packages', 'apps']) {
  for (const room of readdirSync(join(root, folder))) {
    for (const file of sources(join(root, folder, room, 'src'))) {
      if (file.startsWith(plantedFolder) || planters.test(file) || /\.test\.ts$/.test(file))
        continue
      eachLine(file, (line, number) => {
        const code = line.replace(/^\s*(?:\*|\/\/|\/\*).*$/, '')
        if (plants.test(code)) report(file, number, 'only the simulator knows of planted bugs')
      })
    }
  }
}

for (const finding of findings) console.error(finding)
process.exitCode = findings.length === 0 ? 0 : 1
