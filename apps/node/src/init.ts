import { existsSync, writeFileSync } from 'node:fs'
import { addressOfKey, loadOrCreateKey } from '@rockpool/adapters/crypto'
import { loadOrCreateP2pKey, peerIdOf } from '@rockpool/adapters/libp2p/keys'
import { prepareDatadir } from './datadir.ts'
import { type Setting, settings } from './schema.ts'
import { effectiveSettings } from './settings.ts'
import { written } from './values.ts'

/** Makes the data directory, its keys and a commented configuration file. What exists is kept, and said so. */
export async function init(flags: readonly string[], dryRun: boolean): Promise<number> {
  const { paths, read } = effectiveSettings(flags)
  const said = (file: string) => `${existsSync(file) ? 'kept ' : 'made '} ${file}`
  const plan = [paths.root, paths.config, paths.p2pKey, paths.producerKey].map(said)
  if (dryRun) {
    console.log(
      `${plan.map(line => line.replace('made ', 'would make')).join('\n')}\nnothing was written`,
    )
    return 0
  }
  prepareDatadir(paths)
  if (!existsSync(paths.config)) writeFileSync(paths.config, commentedConfig(), { mode: 0o600 })
  const p2pKey = await loadOrCreateP2pKey(paths.p2pKey)
  const producer = addressOfKey((await loadOrCreateKey(paths.producerKey)).key)
  console.log(
    [
      ...plan,
      `peer id   ${peerIdOf(p2pKey)}`,
      `producer  ${producer}`,
      `p2p       ${read.text('p2p.listen.ip')}:${read.number('p2p.listen.tcp')}`,
      `rpc       http://${read.text('rpc.ip')}:${read.number('rpc.port')}`,
      `next      rockpool run --datadir ${paths.root}`,
    ].join('\n'),
  )
  return 0
}

/** Every key with its sentence and default, commented out. What belongs to one start or to the command line alone is left out. */
export function commentedConfig(): string {
  const lines = [
    '# Rockpool configuration. Every key is optional; what is commented out is its default.',
  ]
  let table = ''
  for (const row of settings) {
    const [head = '', ...rest] = row.key.split('.')
    if (rest.length === 0) continue
    if (head !== table) lines.push('', `[${head}]`)
    table = head
    lines.push(`# ${row.sentence}`, `# ${rest.join('.')} = ${shown(row)}`)
  }
  return `${lines.join('\n')}\n`
}

/** As TOML takes it. */
function shown({ value: schema, default: standard }: Setting): string {
  if (standard === undefined) return ''
  const bare = typeof standard === 'boolean' || Array.isArray(standard)
  const text = written(schema, standard)
  return bare || /^\d+$/.test(text) ? JSON.stringify(standard) : JSON.stringify(text)
}
