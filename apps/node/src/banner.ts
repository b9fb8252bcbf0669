/** What a started node prints once: only what really listens. */
export interface BannerFacts {
  readonly version: string
  readonly network: string
  readonly chainId: number
  readonly digest: string
  readonly peerId: string
  readonly p2p: string
  readonly rpc?: string
  readonly ops?: string
  readonly tower?: string
  readonly crypto: string
  readonly datadir: string
  readonly head: number
  readonly readyMs: number
  /** Fallbacks in use and other things an operator should know, a line each. */
  readonly notes: readonly string[]
}

const widthMax = 80

/** At most 24 lines of 80 columns. */
export function banner(facts: BannerFacts): string {
  const rows: [string, string][] = [
    ['peer', facts.peerId],
    ['p2p', facts.p2p.replace(/\/p2p\/.*$/, '')],
  ]
  if (facts.rpc !== undefined) rows.push(['rpc', facts.rpc])
  if (facts.ops !== undefined) rows.push(['ops', `${facts.ops}/readyz`])
  if (facts.tower !== undefined) rows.push(...towerRows(facts.tower))
  rows.push(['crypto', facts.crypto], ['data', facts.datadir], ['head', `${facts.head}`])
  const lines = [
    `Rockpool ${facts.version}   network ${facts.network}   chain ${facts.chainId}   config ${facts.digest}`,
    ...rows.map(([name, value]) => `${name.padEnd(8)} ${value}`),
    'dev chain: no value; its twenty accounts are public knowledge',
    ...facts.notes,
    `ready in ${(facts.readyMs / 1_000).toFixed(1)} s. Stop with Ctrl-C. Ask: rockpool status`,
  ]
  return `${lines.map(line => cut(`  ${line}`)).join('\n')}\n`
}

/** The id is too long for one line with its place, and has to be copied whole. */
function towerRows(tower: string): [string, string][] {
  const [id = '', host = ''] = tower.split('@')
  return [
    ['tower', `${id}@`],
    ['', host],
  ]
}

const cut = (line: string): string =>
  line.length <= widthMax ? line : `${line.slice(0, widthMax - 1)}…`
