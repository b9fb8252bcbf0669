/** Somebody believes that the chain of the tower has moved: look now. What it believes is not trusted. */
export type BackendPoll = { type: 'backend.poll' }

export type BackendMessage = BackendPoll
