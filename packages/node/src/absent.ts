import type { Behavior } from '@rockpool/actor'
import { failed, type ProducerMessage, type SyncMessage } from '@rockpool/protocol'

/** Stands in the producer's place on a node that follows another client's chain: facts pass by, wishes are refused. */
export function noProducer(): Behavior<ProducerMessage> {
  return () => message => {
    switch (message.type) {
      case 'producer.mine':
      case 'producer.reorg':
      case 'producer.preview':
        return message.reply.tell(failed('chain/not-here'))
    }
  }
}

/** Stands in sync's place there: nothing is fetched, nobody is served. */
export function noSync(): Behavior<SyncMessage> {
  return () => message => {
    if (message.type === 'sync.serve') message.reply.tell([])
  }
}
