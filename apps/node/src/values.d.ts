import * as v from 'valibot'
/** What a configuration text means once it is checked. Durations in ms, sizes in bytes, amounts in wei. */
export type SettingValue = string | number | boolean | bigint | readonly string[]
/** A parser of one key: takes text (flag, environment) or a TOML value. The message of an issue continues `<key>: `. */
export type ValueSchema = v.GenericSchema<unknown, SettingValue>
export declare const text: ValueSchema
export declare function wholeNumber(min: number, max?: number): ValueSchema
/** Port 0 asks the system; 1 to 1023 belong to it. */
export declare const port: ValueSchema
export declare const flag: ValueSchema
export declare function oneOf(...choices: readonly string[]): ValueSchema
/** `30s`, `6h`, `500ms`; a bare 0 is allowed, any other bare number lacks its unit. */
export declare const duration: ValueSchema
/** `64KiB`, `5MiB`; a bare 0 is allowed. */
export declare const size: ValueSchema
/** `1gwei`, `1ether`, `7wei`; a bare number is wei. */
export declare const wei: ValueSchema
/** Comma separated in flags and environment, a list in the file. */
export declare const list: ValueSchema
//# sourceMappingURL=values.d.ts.map
