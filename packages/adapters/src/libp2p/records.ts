import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import type { PeerRecords } from '@rockpool/protocol'

/** Addresses as peers have sealed them: identify brings them, and the library's book keeps them for an hour after a peer has left. */
export function createRecords({ peerStore }: Pick<Libp2p, 'peerStore'>): PeerRecords {
  return {
    async of(id) {
      try {
        const { peerRecordEnvelope } = await peerStore.get(peerIdFromString(id))
        return peerRecordEnvelope
      } catch {
        // Nothing is known of it any more.
        return undefined
      }
    },
    async open(record) {
      try {
        const envelope = await RecordEnvelope.openAndCertify(record, PeerRecord.DOMAIN)
        const { peerId, multiaddrs } = PeerRecord.createFromProtobuf(envelope.payload)
        // The seal is of who made it; what it says must be of the same.
        const sealedBy = envelope.publicKey.toCID().toString()
        if (peerId.toCID().toString() !== sealedBy) return undefined
        return { id: peerId.toString(), addrs: multiaddrs.map(String) }
      } catch {
        return undefined
      }
    },
  }
}
