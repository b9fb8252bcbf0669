/** Whoever asks a poisoned pool for the next nonce of this account makes it throw. */
export const poison: string = '0x000000000000000000000000000000000000dead'
