import type { Context } from '@rockpool/actor'
import {
  type Addr,
  type ConnectorServe,
  decodePeersAnswer,
  decodePeersRequest,
  encodePeersAnswer,
  encodePeersRequest,
  limits,
  type NetworkPort,
  type PeerId,
  type PeerView,
} from '@rockpool/protocol'
import type { AddressBook, Candidate } from './address-book.ts'
import type { FromConnector } from './connector.actor.ts'
import { createLately } from './lately.ts'
import { ipOf, privateRange } from './private-range.ts'
import type { ChargeReason } from './reasons.ts'

export interface NamingParts {
  readonly self: PeerId
  readonly network: Pick<NetworkPort, 'request' | 'records'>
  /** Name of the peer exchange protocol. */
  readonly protocol: string
  readonly book: AddressBook
  readonly view: (id: PeerId) => PeerView | undefined
  /** Peers that may be named to others, in random order. */
  readonly nameable: () => readonly Pick<PeerView, 'id' | 'ip'>[]
  readonly fault: (peer: PeerId, reason: ChargeReason, detail: string) => void
  readonly count: (word: string) => void
}

/** Asking others whom else one may dial, and telling them. Addresses are passed on as their owners sealed them. */
export function createNaming(ctx: Context<FromConnector>, parts: NamingParts) {
  const { self, network, protocol, book, view, nameable, fault, count } = parts
  const told = createLately(limits.exchangeServedEveryMs, limits.tellersMax)
  let answers = 0

  function serve({ from, request, reply }: ConnectorServe): void {
    const { records } = network
    const wanted = decodePeersRequest(request)
    if (!wanted.ok) {
      fault(from, 'sync/bad-reply', `peers: ${wanted.code}`)
      return reply.tell([])
    }
    const mayAnswer = answers < limits.exchangeAnswersMax && told.take(from, 1, ctx.now())
    if (!records || !mayAnswer) {
      count('refused')
      return reply.tell([])
    }
    const asker = privateRange(view(from)?.ip ?? '')
    const named = nameable()
      .filter(({ id, ip }) => id !== from && isMeant(privateRange(ip), asker))
      .slice(0, wanted.value)
    answers += 1
    ctx.pipe(
      () => Promise.all(named.map(({ id }) => records.of(id))),
      outcome => ({ type: 'connector.recorded', from, reply, outcome }),
    )
  }

  function recorded({ reply, outcome }: FromConnector & { type: 'connector.recorded' }): void {
    answers -= 1
    const found = outcome.ok ? outcome.value : []
    const sealed = found.filter(
      record => record !== undefined && record.length <= limits.exchangeRecordBytesMax,
    )
    count('served')
    reply.tell([encodePeersAnswer(sealed as readonly Uint8Array[])])
  }

  function ask(peer: PeerId): void {
    count('asked')
    const bounds = { bytesMax: limits.exchangeAnswerBytesMax, deadlineMs: limits.exchangeMs }
    ctx.pipe(
      () => network.request(peer, protocol, encodePeersRequest(limits.exchangePeersMax), bounds),
      outcome => ({ type: 'connector.answered', peer, outcome }),
    )
  }

  function answered({ peer, outcome }: FromConnector & { type: 'connector.answered' }): void {
    const { records } = network
    // A full or stopping peer answers nothing; nobody is charged for what it need not do.
    const [frame] = outcome.ok ? outcome.value : []
    if (frame === undefined || records === undefined) return
    const sealed = decodePeersAnswer(frame)
    if (!sealed.ok) return fault(peer, 'sync/bad-reply', `peers: ${sealed.code}`)
    ctx.pipe(
      () => Promise.all(sealed.value.map(record => records.open(record))),
      opened => ({ type: 'connector.named', peer, outcome: opened }),
    )
  }

  function named({ peer, outcome }: FromConnector & { type: 'connector.named' }): void {
    if (!outcome.ok) return
    if (outcome.value.includes(undefined)) fault(peer, 'sync/bad-reply', 'peers: bad seal')
    const teller = privateRange(view(peer)?.ip ?? '')
    const known = outcome.value.flatMap((record): Omit<Candidate, 'source'>[] => {
      if (record === undefined || record.id === self) return []
      const addrs = meantAddrs(record.addrs, teller)
      return addrs.length > 0 ? [{ id: record.id, addrs }] : []
    })
    for (const _ of known) count('named')
    book.hear(peer, known)
  }

  return { serve, recorded, ask, answered, named }
}

/** An address of a private range means nothing to who is not in it. */
const isMeant = (range: string | undefined, asker: string | undefined): boolean =>
  range === undefined || range === asker

/** Of the addresses of a peer those that mean something here, the nearest first. */
export function meantAddrs(addrs: readonly Addr[], here: string | undefined): readonly Addr[] {
  const placed = addrs.map(addr => ({ addr, range: privateRange(ipOf(addr)) }))
  return placed
    .filter(({ range }) => isMeant(range, here))
    .sort((left, right) => Number(left.range === undefined) - Number(right.range === undefined))
    .map(({ addr }) => addr)
    .slice(0, limits.peerAddrsMax)
}
