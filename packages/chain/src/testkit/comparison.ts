import type { Address } from '@rockpool/protocol'
import { Oracle } from './oracle.ts'
import { Story } from './story.ts'

export interface Comparison {
  readonly blocks: number
  readonly included: number
  readonly refused: number
  readonly failed: number
  readonly delegated: number
  /** Lowest and highest base fee met. Wei. */
  readonly baseFees: readonly [number, number]
  readonly byType: Readonly<Record<string, number>>
  /** Sentences that name the block and what differs; none when both agree. */
  readonly differences: readonly string[]
}

/** Runs a made-up chain here and in EthereumJS and names every difference, block by block. */
export async function compareWithOracle(options: {
  readonly seed: number
  readonly blocks: number
}): Promise<Comparison> {
  const story = new Story(options.seed)
  const oracle = await Oracle.create(story.accounts)
  const differences: string[] = []
  const seen = new Set<Address>(story.accounts.keys())
  const byType: Record<string, number> = {}
  let included = 0
  let refused = 0
  let failed = 0
  const baseFees: number[] = []
  let baseFee: bigint | undefined
  for (let number = 1; number <= options.blocks; number++) {
    const block = story.next()
    const differs = (what: string, ours: unknown, theirs: unknown): void => {
      if (shown(ours) === shown(theirs)) return
      differences.push(`block ${number}: ${what}: ours ${shown(ours)}, theirs ${shown(theirs)}`)
    }
    const theirs = await oracle.run(block.encodedHeader, block.tried)
    let taken = 0
    for (const [index, tx] of block.tried.entries()) {
      const receipt = theirs.receipts[index]
      const ours = block.included[taken] === tx ? block.receipts[taken] : undefined
      if (ours === undefined || receipt === undefined || 'refused' in receipt) {
        const reason = receipt !== undefined && 'refused' in receipt ? receipt.refused : ''
        differs(`transaction ${index} refused (${reason})`, ours === undefined, reason !== '')
        refused += 1
        if (ours === undefined) continue
      } else {
        differs(`status of transaction ${index}`, ours.status, receipt.status)
        differs(`gas of transaction ${index}`, ours.gasUsed, receipt.gasUsed)
        failed += 1 - ours.status
      }
      taken += 1
      const kind = tx.to === null ? 'creation' : `${tx.type}`
      byType[kind] = (byType[kind] ?? 0) + 1
    }
    included += taken
    differs('gas used', block.header.gasUsed, theirs.gasUsed)
    differs('receipts root', block.header.receiptsRoot, theirs.receiptsRoot)
    differs('transactions root', block.header.transactionsRoot, theirs.transactionsRoot)
    if (baseFee !== undefined) differs('base fee', block.header.baseFee, baseFee)
    baseFees.push(Number(block.header.baseFee))
    baseFee = oracle.nextBaseFee(block.encodedHeader)
    for (const address of block.changes.keys()) seen.add(address)
    const everyone = number === options.blocks || number % 50 === 0
    for (const address of everyone ? seen : block.changes.keys()) {
      differs(`account ${address}`, story.state.get(address), await oracle.account(address))
    }
  }
  let delegated = 0
  for (const [, { delegation }] of story.state.entries()) if (delegation !== null) delegated += 1
  return {
    blocks: options.blocks,
    included,
    refused,
    failed,
    delegated,
    baseFees: [Math.min(...baseFees), Math.max(...baseFees)],
    byType,
    differences,
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'none'
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part))
}
