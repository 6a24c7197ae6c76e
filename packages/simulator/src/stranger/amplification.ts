import type { Ending, Simulator } from '../simulator.ts'

export interface Amplification {
  /** Bytes that the strangers sent. */
  readonly strangerBytes: number
  /**
   * Bytes that all other hosts sent, minus their bytes in an equal period without the attack. Bytes that a mesh passed on
   * do not count.
   */
  readonly honestBytes: number
  /** `honestBytes` divided by `strangerBytes`; 0 if honest peers sent nothing more. */
  readonly factor: number
}

export interface AmplificationOptions {
  /** Begins the attack. */
  readonly attack: () => Ending
  /** Length of each of the two periods, in milliseconds. The attack fills the first half of the second period. */
  readonly for: number
}

/**
 * Measures how many bytes honest peers send for each byte of the strangers. It watches them for one period without the
 * attack and for an equal period with it. The figure is exact if the peers otherwise do the same in both periods.
 */
export async function measureAmplification(
  simulator: Simulator,
  options: AmplificationOptions
): Promise<Amplification> {
  const honest = (): number => {
    const { sentBytes, relayedBytes } = simulator.traffic()
    return sentBytes - relayedBytes
  }
  const all = (): number => simulator.traffic(simulator.hosts.map(({ id }) => id)).sentBytes
  const strangers = (): number => all() - simulator.traffic().sentBytes

  const start = honest()
  await simulator.run({ for: options.for })
  const calm = honest() - start
  const [honestBefore, strangersBefore] = [honest(), strangers()]
  const attack = options.attack()
  await simulator.run({ for: options.for / 2 })
  attack.end()
  await simulator.run({ for: options.for / 2 })
  const strangerBytes = strangers() - strangersBefore
  const honestBytes = Math.max(0, honest() - honestBefore - calm)
  return { strangerBytes, honestBytes, factor: honestBytes === 0 ? 0 : honestBytes / strangerBytes }
}
