import type { ReorgsAnswer } from '@rockpool/protocol'
import type { BlockReport, HeadReport } from './chain-of.ts'
import { callNode } from './client.ts'
import { exit, Refusal } from './exit.ts'
import { effectiveSettings } from './settings.ts'

const usage = 'rockpool chain head | block <number|hash> | reorgs [--json]'

/** `rockpool chain …`: what the running node says of its chain. */
export async function chainVerb(args: readonly string[]): Promise<number> {
  const asJson = args.includes('--json')
  const [verb, ...rest] = args.filter(arg => arg !== '--json')
  const [id, flags] = verb === 'block' ? [rest[0], rest.slice(1)] : [undefined, rest]
  const { paths } = effectiveSettings(flags)
  const print = <T>(answer: T, screen: (answer: T) => string) => {
    console.log(asJson ? JSON.stringify(answer, null, 2) : screen(answer))
    return exit.done
  }
  switch (verb) {
    case 'head':
      return print((await callNode(paths, 'chain_head')) as HeadReport, headScreen)
    case 'block': {
      if (id === undefined) throw new Refusal(exit.usage, `chain block wants a number or a hash`)
      return print((await callNode(paths, 'chain_block', [id])) as BlockReport, blockScreen)
    }
    case 'reorgs':
      return print((await callNode(paths, 'chain_reorgs')) as ReorgsAnswer, reorgsScreen)
    default:
      throw new Refusal(exit.usage, `usage: ${usage}`)
  }
}

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value}`).join('\n')
}

function headScreen({ state, sync, head, totalWeight, safe, finalized }: HeadReport): string {
  const far = sync === undefined ? '' : `: from ${sync.start} to ${sync.highest}`
  return table([
    ['state', `${state}${far}`],
    ['head', `${head.number}  ${head.hash}`],
    ['time', new Date(head.timeMs).toISOString()],
    ['weight', `${totalWeight}`],
    ['safe', `${safe}`],
    ['finalized', `${finalized}`],
  ])
}

function blockScreen(block: BlockReport): string {
  return table([
    ['number', `${block.number}${block.canonical ? '' : '  (side branch)'}`],
    ['hash', block.hash],
    ['parent', block.parentHash],
    ['producer', block.producer],
    ['time', new Date(block.timeMs).toISOString()],
    ['state root', block.stateRoot],
    ['weight', `${block.totalWeight}`],
    ['gas', `${block.gasUsed} of ${block.gasLimit}, base fee ${block.baseFee} wei`],
    ['size', `${block.size} bytes`],
    ['txs', block.txs.length === 0 ? 'none' : `${block.txs.length}`],
    ...block.txs.map(hash => ['', hash] as const),
  ])
}

function reorgsScreen({ reorgs, producers }: ReorgsAnswer): string {
  const lines = reorgs.map(
    ({ atMs, removedCount, addedCount, ancestor, old, new: next }) =>
      `${new Date(atMs).toISOString()}  -${removedCount} +${addedCount}  on ${ancestor.number}  ${old.hash} -> ${next.hash}`,
  )
  const faults = producers.map(
    ({ producer, doubles, invalid }) =>
      `${producer}  ${doubles} second blocks on one parent, ${invalid} invalid blocks`,
  )
  return [
    ...(lines.length === 0 ? ['reorgs  none'] : lines),
    ...(faults.length === 0 ? [] : ['', 'evidence against producers', ...faults]),
  ].join('\n')
}
