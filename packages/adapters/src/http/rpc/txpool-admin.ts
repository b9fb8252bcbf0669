import { type Hash, limits, type TxRecord, toHex } from '@rockpool/protocol'
import { type Method, method } from '../method.ts'
import type { Backend } from '../parts.ts'
import { plain } from '../rpc-error.ts'
import { hash, intoType, param, readQuantity } from './params.ts'

const wei = param('wei', value => readQuantity(value, intoType('hexutil.Big')))
const prefix = param('prefix', value => {
  if (typeof value === 'string' && /^0x[0-9a-f]{4,64}$/i.test(value)) return value.toLowerCase()
  throw new Error('expected 0x and at least four digits of a hash')
})

/** What an operator may do to the pool; on the control socket alone. */
export function txpoolAdminMethods({ pool, parts }: Backend): Method[] {
  const setTip = ([tip]: readonly [bigint]) => {
    parts.refs.pool.tell({ type: 'pool.setGasTip', tip })
    return true
  }
  const rows = [
    method('txpool_drop', [hash], async ([of]) => {
      const isDropped = await pool.ask<boolean>(reply => ({ type: 'pool.drop', hash: of, reply }))
      if (!isDropped) throw plain(`not in the pool: ${of}`)
      return true
    }),
    method('txpool_untrack', [hash], async ([of]) => {
      const isDone = await pool.ask<boolean>(reply => ({ type: 'pool.untrack', hash: of, reply }))
      if (!isDone) throw plain(`not tracked: ${of}`)
      return true
    }),
    method('txpool_setGasTip', [wei], setTip),
    method('miner_setGasPrice', [wei], setTip),
    method('txpool_find', [prefix], ([begin]) =>
      pool.ask<readonly Hash[]>(reply => ({
        type: 'pool.findHashes',
        prefix: begin,
        most: limits.shortHashMatchesMax,
        reply,
      })),
    ),
    method(
      'txpool_journal',
      [],
      async () => {
        const own = await pool.ask<readonly TxRecord[]>(reply => ({ type: 'pool.getOwn', reply }))
        return own.map(({ raw }) => toHex(raw))
      },
      { answer: 'huge' },
    ),
  ]
  return rows.map(row => ({ ...row, scope: 'admin' }))
}
