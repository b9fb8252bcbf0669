import { Pool } from '@rockpool/pool'
import { poison } from './poison.ts'

/** With `node --import` this file gives the pool a bug that one question sets off; the same file gives it to a replay. */
const { nonce } = Pool.prototype

Pool.prototype.nonce = function poisoned(address) {
  if (address === poison) throw new Error('the pool was poisoned')
  return nonce.call(this, address)
}
