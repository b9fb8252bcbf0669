import { existsSync, writeFileSync } from 'node:fs'
import { addressOfKey, loadOrCreateKey } from '@rockpool/adapters/crypto'
import { loadOrCreateP2pKey, peerIdOf } from '@rockpool/adapters/libp2p/keys'
import { prepareDatadir } from './datadir.ts'
import { settings } from './schema.ts'
import { effectiveSettings } from './settings.ts'

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

/** Every key with its sentence and default, commented out. */
export function commentedConfig(): string {
  const lines = [
    '# Rockpool configuration. Every key is optional; what is commented out is its default.',
  ]
  let table = ''
  for (const row of settings) {
    if (row.key === 'network' || row.key === 'datadir') continue
    const [head = '', ...rest] = row.key.split('.')
    if (head !== table) lines.push('', `[${head}]`)
    table = head
    lines.push(`# ${row.sentence}`, `# ${rest.join('.')} = ${shown(row.default)}`)
  }
  return `${lines.join('\n')}\n`
}

function shown(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'bigint' ? `"${value}wei"` : JSON.stringify(value)
}
