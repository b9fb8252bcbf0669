import type { Filters } from '../filters.ts'
import { type Method, method } from '../method.ts'
import { RpcError, rpcCode } from '../rpc-error.ts'
import { requireSubscriber, type Topic } from '../subscriptions.ts'
import { logFilter } from './eth-read.ts'
import { anything, filterId, flag, optional, text } from './params.ts'

/** Being told: subscriptions on a WebSocket, filters to poll. */
export function ethListenMethods(filters: Filters): Method[] {
  return [
    method(
      'eth_subscribe',
      [text('name'), optional(anything('options'))],
      ([name, options], { subscriber }) =>
        requireSubscriber(subscriber).subscribe(topicOf(name, options)),
    ),
    method('eth_unsubscribe', [filterId], ([id], { subscriber }) => {
      requireSubscriber(subscriber).unsubscribe(id)
      return true
    }),
    method('eth_newFilter', [logFilter], () => filters.create('logs')),
    method('eth_newBlockFilter', [], () => filters.create('blocks')),
    method('eth_newPendingTransactionFilter', [optional(flag('full'))], ([full]) =>
      filters.create(full === true ? 'pendingFull' : 'pending'),
    ),
    method('eth_getFilterChanges', [filterId], ([id]) => filters.changes(id), {
      answer: 'large',
    }),
    method('eth_getFilterLogs', [filterId], ([id]) => filters.logs(id)),
    method('eth_uninstallFilter', [filterId], ([id]) => filters.remove(id)),
  ]
}

function topicOf(name: string, options: unknown): Topic {
  switch (name) {
    case 'newPendingTransactions':
      return options === true ? 'newPendingTransactionsFull' : name
    case 'newHeads':
    case 'syncing':
      return name
    case 'logs':
      if (options !== undefined) logFilter.decode(options)
      return name
    default:
      throw new RpcError(rpcCode.method, `no "${name}" subscription in eth namespace`)
  }
}
