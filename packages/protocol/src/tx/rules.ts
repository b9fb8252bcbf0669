/** When each fork begins. Blocks: absent means 0. Times, in seconds: absent means never. Null always means never. */
export interface Forks {
  readonly homesteadBlock?: number | null
  readonly eip155Block?: number | null
  readonly istanbulBlock?: number | null
  readonly berlinBlock?: number | null
  readonly londonBlock?: number | null
  readonly shanghaiTime?: number | null
  readonly cancunTime?: number | null
  readonly pragueTime?: number | null
  readonly osakaTime?: number | null
  readonly amsterdamTime?: number | null
}

/** Which forks hold at one header. */
export interface ForkRules {
  readonly homestead: boolean
  readonly eip155: boolean
  readonly istanbul: boolean
  readonly berlin: boolean
  readonly london: boolean
  readonly shanghai: boolean
  readonly cancun: boolean
  readonly prague: boolean
  readonly osaka: boolean
  readonly amsterdam: boolean
}

/** The dev chain: everything through Osaka from genesis. */
export const devForks: Forks = {
  homesteadBlock: 0,
  eip155Block: 0,
  istanbulBlock: 0,
  berlinBlock: 0,
  londonBlock: 0,
  shanghaiTime: 0,
  cancunTime: 0,
  pragueTime: 0,
  osakaTime: 0,
}

/** What of a header decides its forks. `merged`: its difficulty is 0, without which no time fork holds. */
export interface ForkPoint {
  readonly number: number
  readonly timeSeconds: number
  readonly merged: boolean
}

/** The rules at a header. */
export function rulesAt(forks: Forks, { number, timeSeconds, merged }: ForkPoint): ForkRules {
  const fromBlock = (block: number | null | undefined) => block !== null && number >= (block ?? 0)
  const london = fromBlock(forks.londonBlock)
  const fromTime = (time: number | null | undefined) =>
    merged && london && time !== null && time !== undefined && timeSeconds >= time
  return {
    homestead: fromBlock(forks.homesteadBlock),
    eip155: fromBlock(forks.eip155Block),
    istanbul: fromBlock(forks.istanbulBlock),
    berlin: fromBlock(forks.berlinBlock),
    london,
    shanghai: fromTime(forks.shanghaiTime),
    cancun: fromTime(forks.cancunTime),
    prague: fromTime(forks.pragueTime),
    osaka: fromTime(forks.osakaTime),
    amsterdam: fromTime(forks.amsterdamTime),
  }
}
