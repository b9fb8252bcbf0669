import type { Book, WorldView } from '../api.ts'
import { banBook } from './ban-book.ts'
import { busBook } from './bus-book.ts'
import { chainBook, type Shelf } from './chain-book.ts'
import { deliveryBook } from './delivery-book.ts'
import { Ledger } from './ledger.ts'
import { localBook } from './local-book.ts'
import { poolBook } from './pool-book.ts'
import { reorgBook } from './reorg-book.ts'
import { sickBook } from './sick-book.ts'
import { towerBook } from './tower-book.ts'

/** The books of one run: everything that must hold of the actors there are. A new actor brings its own book into this list. */
export function createBooks(): readonly Book[] {
  const shelf = createShelf()
  return [
    ledgerOf(shelf),
    chainBook(shelf),
    busBook(),
    poolBook(shelf),
    reorgBook(shelf),
    localBook(shelf),
    deliveryBook(shelf),
    banBook(),
    sickBook(),
    towerBook(shelf),
  ]
}

/** Opens the ledger when the world is known. It must be the first of the books. */
function ledgerOf(shelf: Shelf): Book {
  return {
    ids: [],
    begin(world: WorldView) {
      const { genesis, crypto, options } = world
      shelf.open(new Ledger(genesis, bytes => crypto.keccak256(bytes), options.chain === 'dev'))
    },
  }
}

/** What the books share. */
export function createShelf(): Shelf {
  let ledger: Ledger | undefined
  return {
    get ledger(): Ledger {
      if (ledger === undefined) throw new TypeError('the ledger is opened at the begin of a world')
      return ledger
    },
    open(opened) {
      ledger = opened
    },
    heads: new Map(),
    stopped: new Map(),
  }
}
