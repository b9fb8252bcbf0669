/** What `txpool_info` answers, as far as it is shown. */
export interface InfoReport {
  readonly head: { readonly number: number; readonly hash: string }
  readonly stats: { readonly pending: number; readonly queued: number; readonly slots: number }
  readonly gasTip: string
  readonly drifted: boolean
  readonly loading?: { readonly done: number; readonly of: number }
  readonly tracked: number
  readonly stories: { readonly kept: number; readonly bound: number; readonly oldestMs?: number }
  readonly config: Readonly<Record<string, unknown>>
}

/** What `txpool_explain` answers, as far as it is shown. */
export interface WhyReport {
  readonly subject: string
  readonly state: string
  readonly reason: string
  readonly why: string
  readonly hash?: string
  readonly origin?: string
  readonly tracked?: boolean
  readonly until?: number
  readonly unblock: readonly Readonly<Record<string, unknown>>[]
  readonly story: readonly {
    readonly at: number
    readonly event: string
    readonly reason?: string
    readonly other?: string
    readonly cause?: number
  }[]
  readonly tx?: Readonly<Record<string, unknown>>
  readonly place?: Readonly<Record<string, unknown>>
}

type Row = readonly string[]

/** Columns for a person, tabs for a program. */
export function tableText(rows: readonly Row[], isTerminal: boolean | undefined): string {
  if (rows.length === 0) return 'none'
  if (isTerminal !== true) return rows.map(row => row.join('\t')).join('\n')
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map(row => row[column]?.length ?? 0)),
  )
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function infoScreen(info: InfoReport): string {
  const { stats, head, tracked, stories, gasTip, loading, drifted, config } = info
  const rows: Row[] = [
    ['pending', `${stats.pending} of ${config['globalSlots']}`],
    ['queued', `${stats.queued} of ${config['globalQueue']}`],
    ['slots', `${stats.slots}`],
    ['least tip', `${BigInt(gasTip)} wei`],
    ['head', `${head.number}  ${head.hash}${drifted ? '  (its state is missing)' : ''}`],
    ['mode', String(config['compat'])],
    ['followed', `${tracked}`],
    ['stories', `${stories.kept} of ${stories.bound}`],
  ]
  if (loading !== undefined) rows.push(['loading', `${loading.done}/${loading.of}`])
  return tableText(rows, true)
}

type Half = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>

/** One line a transaction: half, sender, nonce, hash, fee cap, tip, gas. With `from` the answer is that of one sender. */
export function lsRows(answer: unknown, from: string | undefined): Row[] {
  const content = answer as Readonly<Record<'pending' | 'queued', unknown>>
  const rows: Row[] = []
  for (const half of ['pending', 'queued'] as const) {
    const senders = (from === undefined ? content[half] : { [from]: content[half] }) as Half
    for (const [sender, nonces] of Object.entries(senders)) {
      for (const [nonce, tx] of Object.entries(nonces)) {
        const cap = tx['maxFeePerGas'] ?? tx['gasPrice']
        const tip = tx['maxPriorityFeePerGas'] ?? tx['gasPrice']
        rows.push([half, sender, nonce, String(tx['hash']), ...[cap, tip, tx['gas']].map(decimal)])
      }
    }
  }
  if (rows.length === 0) return []
  return [['half', 'from', 'nonce', 'hash', 'fee cap', 'tip', 'gas'], ...rows]
}

const decimal = (value: unknown): string => BigInt(String(value)).toString()

/** The sentence, then what happened, then what would change it. */
export function whyScreen({ subject, state, why, story, unblock }: WhyReport): string {
  const events = story.map(({ at, event, reason, other, cause }) => [
    `  ${new Date(at).toISOString()}`,
    [event, reason === event ? '' : (reason ?? ''), other ?? '']
      .filter(word => word !== '')
      .join(' '),
    cause === undefined ? '' : `(message ${cause})`,
  ])
  const changes = unblock.map(({ do: what, ...quantities }) =>
    ['  ', what, ...Object.entries(quantities).map(([name, value]) => `${name} ${shown(value)}`)]
      .join(' ')
      .replace('   ', '  '),
  )
  return [
    `${subject}: ${state}`,
    why,
    ...(events.length === 0 ? [] : ['what happened', tableText(events, true)]),
    ...(changes.length === 0 ? [] : ['what would change it', ...changes]),
  ].join('\n')
}

const shown = (value: unknown): string =>
  typeof value === 'string' && /^0x[0-9a-f]{1,38}$/.test(value)
    ? BigInt(value).toString()
    : String(value)
