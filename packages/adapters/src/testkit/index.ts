/** For tests and demos: a bitcoin node in this process. */
export { type BitcoinFacade, startBitcoinFacade } from './bitcoin-facade.ts'
