/** One exported series as plain numbers, read when the exporter asks. Labels come from closed sets only: never ids or addresses. */
export type Series =
  | {
      readonly name: string
      readonly help: string
      readonly kind: 'counter' | 'gauge'
      readonly samples: readonly { readonly labels?: Labels; readonly value: number }[]
    }
  | {
      readonly name: string
      readonly help: string
      readonly kind: 'histogram'
      readonly samples: readonly {
        readonly labels?: Labels
        /** Upper bounds in the series' unit, ascending, without +Inf. */
        readonly bounds: readonly number[]
        /** Count per bucket, one more than bounds. */
        readonly counts: readonly number[]
        readonly sum: number
      }[]
    }

export type Labels = Readonly<Record<string, string>>
