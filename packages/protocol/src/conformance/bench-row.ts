/** One measured figure and what it is held against. Rates are per CPU second of the measured process unless the unit says otherwise. */
export interface BenchRow {
  readonly row: string
  readonly unit: string
  readonly ours: number
  readonly reference?: { readonly name: string; readonly value: number }
  /** How many times better than the reference; above 1 is better, whatever the unit. */
  readonly ratio?: number
  readonly target: string
  readonly met: boolean
  readonly note?: string
}
