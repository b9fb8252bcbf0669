import type { ChainStatus, Head } from '@rockpool/protocol'
import type { Backend } from '../parts.ts'

/** Where this node's chain stands. */
export async function headOf({ chain }: Backend): Promise<Head> {
  const status = await chain.ask<ChainStatus>(reply => ({ type: 'chain.getStatus', reply }))
  return status.head
}
