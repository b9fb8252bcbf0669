import type { SettingValue, ValueSchema } from './values.ts'
/** One configuration key: the same spelling in file and flag; the environment name follows from it. */
export interface Setting {
  readonly key: string
  /** Absent: the value is worked out at start. */
  readonly default?: SettingValue
  readonly value: ValueSchema
  readonly sentence: string
  /** True for a flag that may stand without a value. */
  readonly bare?: boolean
}
/** Every key this program reads. */
export declare const settings: readonly Setting[]
export declare const settingByKey: ReadonlyMap<string, Setting>
/** `txpool.price-bump` is read from `ROCKPOOL_TXPOOL_PRICE_BUMP`. */
export declare function environmentName(key: string): string
//# sourceMappingURL=schema.d.ts.map
