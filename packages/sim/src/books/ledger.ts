import {
  type Account,
  bodyMatches,
  type Changes,
  checkHeader,
  envOn,
  execute,
  type Genesis,
  genesisBlock,
  State,
  turnOf,
  verifyExecution,
} from '@rockpool/chain'
import type { Address, Block, Hash, Header, TxRecord } from '@rockpool/protocol'

/** A block of any node, with all accounts after it as the ledger itself makes them. */
export interface Page {
  readonly header: Header
  readonly parent: Page | undefined
  /** An ancestor far below, to walk fast. */
  readonly jump: Page | undefined
  readonly txs: readonly TxRecord[]
  readonly totalWeight: number
  /** Given up far below the highest block. */
  accounts: ReadonlyMap<Address, Account> | undefined
}

export interface Finding {
  readonly id: string
  readonly text: string
}

const jumpBlocks = 64
const statesKept = 1_100

/**
 * The chain as somebody outside keeps it: every block any node ever took for its head, executed once from the genesis on. Nodes are not
 * believed: sums, nonces and roots are counted again.
 */
export class Ledger {
  readonly genesis: Genesis
  /** Headers are judged by the rules of the dev chain; a simulated source makes its own. */
  readonly isDev: boolean
  private readonly keccak256: (bytes: Uint8Array) => Uint8Array
  private readonly pages = new Map<Hash, Page>()
  private readonly mined = new Map<Hash, Page[]>()
  private readonly known = new Map<Hash, TxRecord>()
  private readonly stated: Page[] = []
  private readonly run: typeof execute
  private highest = 0

  /** `run` executes blocks. */
  constructor(
    genesis: Genesis,
    keccak256: (bytes: Uint8Array) => Uint8Array,
    isDev: boolean,
    run: typeof execute = execute,
  ) {
    this.run = run
    this.genesis = genesis
    this.keccak256 = keccak256
    this.isDev = isDev
    const { header, accounts } = genesisBlock(genesis, keccak256)
    const root = { header, parent: undefined, jump: undefined, txs: [], totalWeight: 0, accounts }
    this.pages.set(header.hash, root)
    this.stated.push(root)
  }

  page(hash: Hash): Page | undefined {
    return this.pages.get(hash)
  }

  /** Remembers a transaction by its hash, whoever told of it. */
  know(tx: TxRecord): void {
    if (!this.known.has(tx.hash)) this.known.set(tx.hash, tx)
  }

  tx(hash: Hash): TxRecord | undefined {
    return this.known.get(hash)
  }

  /** The account after a block; undefined when it does not exist or the state is given up. */
  account(at: Hash, address: Address): Account | undefined {
    return this.pages.get(at)?.accounts?.get(address)
  }

  /** Next nonce of an account after a block; undefined when nothing is known of that block's state. */
  nonce(at: Hash, address: Address): number | undefined {
    const accounts = this.pages.get(at)?.accounts
    return accounts === undefined ? undefined : (accounts.get(address)?.nonce ?? 0)
  }

  /** Whether the branch up to `head` holds the transaction. */
  isMined(tx: Hash, head: Hash): boolean {
    return (this.mined.get(tx) ?? []).some(page => this.isOn(page.header.hash, head))
  }

  get minedCount(): number {
    return this.mined.size
  }

  /** Whether `hash` is `head` or one of its ancestors. */
  isOn(hash: Hash, head: Hash): boolean {
    const page = this.pages.get(hash)
    return page !== undefined && this.ancestor(head, page.header.number) === page
  }

  /** The block of that height on the branch up to `head`. */
  ancestor(head: Hash, number: number): Page | undefined {
    let at = this.pages.get(head)
    while (at !== undefined && at.header.number > number) {
      const { jump, parent } = at
      at = jump !== undefined && jump.header.number >= number ? jump : parent
    }
    return at?.header.number === number ? at : undefined
  }

  /** Takes a block in. What is wrong with it is told once; a block without a known parent is not judged. */
  learn(block: Block): readonly Finding[] {
    const { header, txs } = block
    if (this.pages.has(header.hash)) return []
    const parent = this.pages.get(header.parentHash)
    if (parent === undefined) return []
    const findings: Finding[] = []
    const accounts = this.execute(parent, block, findings)
    const weight = turnOf(this.genesis, header.producer, header.number)?.weight ?? 0
    const page: Page = {
      header,
      parent,
      jump: parent.header.number % jumpBlocks === 0 ? parent : parent.jump,
      txs,
      totalWeight: parent.totalWeight + weight,
      accounts,
    }
    this.pages.set(header.hash, page)
    this.stated.push(page)
    for (const tx of txs) {
      this.know(tx)
      const places = this.mined.get(tx.hash)
      if (places?.some(other => this.isOn(other.header.hash, header.parentHash))) {
        findings.push({
          id: 'tx-twice',
          text: `${tx.hash} is twice on the branch of ${header.hash}`,
        })
      }
      if (places === undefined) this.mined.set(tx.hash, [page])
      else places.push(page)
    }
    this.highest = Math.max(this.highest, header.number)
    this.giveUpOld()
    return findings
  }

  /** The way from one head to another: blocks that leave, newest first. */
  removedBetween(from: Hash, to: Hash): readonly Page[] {
    const removed: Page[] = []
    for (let at = this.pages.get(from); at !== undefined; at = at.parent) {
      if (this.isOn(at.header.hash, to)) return removed
      removed.push(at)
    }
    return removed
  }

  private execute(
    parent: Page,
    { header, txs }: Block,
    findings: Finding[],
  ): ReadonlyMap<Address, Account> | undefined {
    const { accounts } = parent
    if (accounts === undefined) return undefined
    const { genesis, keccak256 } = this
    const name = `block ${header.number} ${header.hash}`
    const claim = (holds: boolean, id: string, text: string) => {
      if (!holds) findings.push({ id, text: `${name}: ${text}` })
    }
    if (this.isDev) {
      const refusal = checkHeader(parent.header, header, genesis)
      claim(refusal === null, 'bad-header', `breaks the rule ${refusal?.check}`)
    }
    const raws = txs.map(({ raw }) => raw)
    claim(bodyMatches(header, raws, keccak256), 'bad-root', 'its transactions are not its root')
    const state = new State(accounts, keccak256)
    const env = envOn(parent.header, genesis, header, keccak256)
    const result = this.run(state, env, txs)
    if (!result.ok) {
      claim(false, 'bad-root', `transaction ${result.index} breaks the rule ${result.check}`)
      return undefined
    }
    const differs = verifyExecution(parent.header, header, txs, result, keccak256)
    claim(differs === null, 'bad-root', `executes to another ${differs?.check}`)
    const burnt = header.baseFee * BigInt(header.gasUsed)
    const gained = sumOfChanges(accounts, result.changes)
    claim(gained === genesis.reward - burnt, 'balance-sum', `balances change by ${gained}`)
    const wrong = wrongNonce(accounts, result.changes, txs)
    claim(wrong === undefined, 'nonce-count', `nonce of ${wrong} is not its transactions`)
    state.commit(result.changes)
    const after = new Map(state.entries())
    state.revert(result.undo)
    claim(isSame(state, accounts), 'undo-identity', 'its undo does not lead back')
    return after
  }

  private giveUpOld(): void {
    for (;;) {
      const oldest = this.stated[0]
      if (oldest === undefined || oldest.header.number >= this.highest - statesKept) return
      oldest.accounts = undefined
      this.stated.shift()
    }
  }
}

function sumOfChanges(before: ReadonlyMap<Address, Account>, changes: Changes): bigint {
  let sum = 0n
  for (const [address, account] of changes) {
    sum += (account?.balance ?? 0n) - (before.get(address)?.balance ?? 0n)
  }
  return sum
}

/** An account whose nonce did not move by its transactions, and at most its authorizations; a created one has 1. */
function wrongNonce(
  before: ReadonlyMap<Address, Account>,
  changes: Changes,
  txs: readonly TxRecord[],
): Address | undefined {
  const sent = new Map<Address, number>()
  const authorized = new Map<Address, number>()
  for (const { sender, authoritySlots } of txs) {
    sent.set(sender, (sent.get(sender) ?? 0) + 1)
    for (const authority of authoritySlots) {
      if (authority !== null) authorized.set(authority, (authorized.get(authority) ?? 0) + 1)
    }
  }
  for (const address of sent.keys()) if (!changes.has(address)) return address
  for (const [address, account] of changes) {
    const moved = (account?.nonce ?? 0) - (before.get(address)?.nonce ?? 0)
    const least = sent.get(address) ?? 0
    const most = least + (authorized.get(address) ?? 0)
    const isCreated = !before.has(address) && account?.nonce === 1 && least === 0
    if (!isCreated && (moved < least || moved > most)) return address
  }
  return undefined
}

function isSame(state: State, accounts: ReadonlyMap<Address, Account>): boolean {
  if (state.size !== accounts.size) return false
  for (const [address, { nonce, balance, delegation }] of state.entries()) {
    const other = accounts.get(address)
    if (other?.nonce !== nonce || other.balance !== balance || other.delegation !== delegation) {
      return false
    }
  }
  return true
}
