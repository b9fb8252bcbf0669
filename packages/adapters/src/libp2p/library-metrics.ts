import type { GossipsubOpts } from '@chainsafe/libp2p-gossipsub'
import type { Metrics } from '@libp2p/interface'
import { type Labels, limits, type Series } from '@rockpool/protocol'

type Register = NonNullable<GossipsubOpts['metricsRegister']>

interface Cell {
  readonly labels: Labels
  value: number
  /** Of a histogram: one more than bounds. */
  counts: number[]
  sum: number
}

interface Book {
  readonly name: string
  readonly help: string
  readonly kind: 'gauge' | 'counter' | 'histogram'
  readonly bounds: readonly number[]
  readonly cells: Map<string, Cell>
}

type GivenLabels = Readonly<Record<string, string | number>>

const defaultBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * What libp2p and the gossip router count about themselves, kept as plain numbers until somebody asks. A series keeps at most
 * `limits.librarySamplesMax` sets of labels: the libraries choose them, and what they choose may come from peers.
 */
export function createLibraryMetrics() {
  const books = new Map<string, Book>()
  const collectors: (() => void)[] = []

  function bookOf(name: string, kind: Book['kind'], help = '', bounds = defaultBounds): Book {
    const known = books.get(name)
    if (known !== undefined) return known
    const made: Book = { name, help: help === '' ? name : help, kind, bounds, cells: new Map() }
    books.set(name, made)
    return made
  }

  function cellOf({ cells, kind, bounds }: Book, given: GivenLabels = {}): Cell | undefined {
    const key = Object.values(given).join('\u0000')
    const known = cells.get(key)
    if (known !== undefined) return known
    if (cells.size >= limits.librarySamplesMax) return undefined
    const labels = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, String(value)]),
    )
    const counts = kind === 'histogram' ? new Array<number>(bounds.length + 1).fill(0) : []
    const made: Cell = { labels, value: 0, counts, sum: 0 }
    cells.set(key, made)
    return made
  }

  function add(book: Book, labels: GivenLabels | undefined, by: number): void {
    const cell = cellOf(book, labels)
    if (cell !== undefined) cell.value += by
  }

  function set(book: Book, labels: GivenLabels | undefined, value: number): void {
    const cell = cellOf(book, labels)
    if (cell !== undefined) cell.value = value
  }

  function observe(book: Book, labels: GivenLabels | undefined, value: number): void {
    const cell = cellOf(book, labels)
    if (cell === undefined) return
    const found = book.bounds.findIndex(bound => value <= bound)
    const index = found < 0 ? book.bounds.length : found
    cell.counts[index] = (cell.counts[index] ?? 0) + 1
    cell.sum += value
  }

  /** Both libraries leave the labels out where there are none. */
  const split = (args: readonly unknown[]): [GivenLabels | undefined, number] => {
    const [first, second] = args
    if (typeof first === 'object' && first !== null) {
      return [first as GivenLabels, typeof second === 'number' ? second : 1]
    }
    return [undefined, typeof first === 'number' ? first : 1]
  }

  const register = {
    gauge({ name, help }: { name: string; help: string }) {
      const book = bookOf(name, 'gauge', help)
      const gauge = {
        inc: (...args: unknown[]) => add(book, ...split(args)),
        set: (...args: unknown[]) => set(book, ...split(args)),
        addCollect: (collect: (own: unknown) => void) => void collectors.push(() => collect(gauge)),
      }
      return gauge
    },
    histogram({ name, help, buckets }: { name: string; help: string; buckets?: number[] }) {
      const book = bookOf(name, 'histogram', help, buckets)
      return {
        observe: (...args: unknown[]) => observe(book, ...split(args)),
        startTimer: () => timer(value => observe(book, undefined, value)),
        reset: () => book.cells.clear(),
      }
    },
    avgMinMax({ name, help }: { name: string; help: string }) {
      const parts = {
        avg: bookOf(`${name}_avg`, 'gauge', help),
        min: bookOf(`${name}_min`, 'gauge', help),
        max: bookOf(`${name}_max`, 'gauge', help),
      }
      return {
        set(...args: unknown[]) {
          const values = args.at(-1) as readonly number[]
          const labels = args.length > 1 ? (args[0] as GivenLabels) : undefined
          const sum = values.reduce((total, value) => total + value, 0)
          set(parts.avg, labels, values.length === 0 ? 0 : sum / values.length)
          set(parts.min, labels, values.length === 0 ? 0 : Math.min(...values))
          set(parts.max, labels, values.length === 0 ? 0 : Math.max(...values))
        },
      }
    },
  } as unknown as Register

  const timer = (ended: (seconds: number) => void): (() => void) => {
    const sinceMs = performance.now()
    return () => ended((performance.now() - sinceMs) / 1_000)
  }

  /** One metric of libp2p; with `calculate` it is asked when somebody reads. */
  function single(kind: Book['kind']) {
    return (name: string, options: { help?: string; calculate?: () => unknown } = {}) => {
      const book = bookOf(name, kind, options.help)
      collectInto(options.calculate, value => set(book, undefined, Number(value)))
      return {
        update: (value: number) => set(book, undefined, value),
        increment: (value = 1) => add(book, undefined, value),
        decrement: (value = 1) => add(book, undefined, -value),
        observe: (value: number) => observe(book, undefined, value),
        reset: () => book.cells.clear(),
        timer: () => timer(value => observe(book, undefined, value)),
      }
    }
  }

  /** Likewise one with a label. */
  function group(kind: Book['kind']) {
    return (
      name: string,
      options: { help?: string; label?: string; calculate?: () => unknown } = {},
    ) => {
      const book = bookOf(name, kind, options.help)
      const label = options.label ?? name.split('_').at(-1) ?? 'kind'
      const each =
        (act: (labels: GivenLabels, value: number) => void) =>
        (values: Readonly<Record<string, number | true>>): void => {
          for (const [key, value] of Object.entries(values))
            act({ [label]: key }, value === true ? 1 : value)
        }
      const update = each((labels, value) => set(book, labels, value))
      collectInto(options.calculate, values => {
        for (const cell of book.cells.values()) cell.value = 0
        update(values as Record<string, number>)
      })
      return {
        update,
        increment: each((labels, value) => add(book, labels, value)),
        decrement: each((labels, value) => add(book, labels, -value)),
        observe: each((labels, value) => observe(book, labels, value)),
        reset: () => book.cells.clear(),
        timer: (key: string) => timer(value => observe(book, { [label]: key }, value)),
      }
    }
  }

  function collectInto(calculate: (() => unknown) | undefined, take: (value: unknown) => void) {
    if (calculate === undefined) return
    collectors.push(() => {
      const value = calculate()
      // One that has to wait is shown by the next reader.
      if (value instanceof Promise) value.then(take, () => {})
      else take(value)
    })
  }

  const metrics = {
    // Bytes of connections are counted where they are limited; a counter on every frame would cost as much as the frame.
    trackMultiaddrConnection() {},
    trackProtocolStream() {},
    registerMetric: single('gauge'),
    registerMetricGroup: group('gauge'),
    registerCounter: single('counter'),
    registerCounterGroup: group('counter'),
    registerHistogram: single('histogram'),
    registerHistogramGroup: group('histogram'),
    registerSummary: single('histogram'),
    registerSummaryGroup: group('histogram'),
    traceFunction: (_: string, fn: unknown) => fn,
    createTrace: () => undefined,
  } as unknown as Metrics

  return {
    register,
    metrics,
    /** Every series that has been counted, as of now. */
    read(): Series[] {
      for (const collect of collectors) collect()
      return [...books.values()].filter(({ cells }) => cells.size > 0).map(seriesOf)
    },
  }
}

function seriesOf({ name, help, kind, bounds, cells }: Book): Series {
  const all = [...cells.values()]
  if (kind !== 'histogram') {
    return { name, help, kind, samples: all.map(({ labels, value }) => ({ labels, value })) }
  }
  return {
    ...{ name, help, kind },
    samples: all.map(({ labels, counts, sum }) => ({ labels, bounds, counts: [...counts], sum })),
  }
}
