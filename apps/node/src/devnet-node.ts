import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { exit, Refusal } from './exit.ts'

/**
 * `--node n0 [--devnet name]` anywhere on the command line stands for the data directory of that node of a running devnet, found in
 * `.devnet/` of this folder or the nearest one above. Other arguments pass through.
 */
export function resolveDevnetNode(argv: readonly string[], from: string): string[] {
  const { value: node, rest } = withoutOption(argv, '--node')
  const { value: name, rest: others } = withoutOption(rest, '--devnet')
  if (node === undefined) {
    if (name === undefined) return others
    throw new Refusal(exit.usage, `--devnet ${name} says where --node looks; name a node too`)
  }
  return [...others, '--datadir', datadirOf(node, name ?? 'default', from)]
}

function withoutOption(argv: readonly string[], option: string) {
  const at = argv.findIndex(word => word === option || word.startsWith(`${option}=`))
  const word = argv[at]
  if (word === undefined) return { value: undefined, rest: [...argv] }
  const joined = word.startsWith(`${option}=`)
  const value = joined ? word.slice(option.length + 1) : argv[at + 1]
  if (value === undefined || value === '' || value.startsWith('-'))
    throw new Refusal(
      exit.usage,
      `${option} needs a name, for example ${option} ${example(option)}`,
    )
  return { value, rest: argv.filter((_, index) => index !== at && (joined || index !== at + 1)) }
}

const example = (option: string) => (option === '--node' ? 'n0' : 'default')

function datadirOf(node: string, name: string, from: string): string {
  const file = networkFile(name, from)
  if (file === undefined)
    throw new Refusal(
      exit.unreachable,
      `devnet "${name}" is not running: no .devnet/${name}/network.json here or above; start it with: npm run devnet -- up`,
    )
  const { nodes } = JSON.parse(readFileSync(file, 'utf8')) as {
    nodes: readonly { name: string; datadir: string }[]
  }
  const found = nodes.find(each => each.name === node)
  if (found !== undefined) return found.datadir
  const names = nodes.map(each => each.name).join(', ')
  throw new Refusal(exit.usage, `--node ${node}: devnet "${name}" has ${names}`)
}

function networkFile(name: string, from: string): string | undefined {
  const file = join(from, '.devnet', name, 'network.json')
  if (existsSync(file)) return file
  const above = dirname(from)
  return above === from ? undefined : networkFile(name, above)
}
