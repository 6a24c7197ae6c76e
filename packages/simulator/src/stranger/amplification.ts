import type { Ending, Simulator } from '../simulator.ts'

export interface Amplification {
  /** Bytes that the strangers sent. */
  readonly strangerBytes: number
  /** Bytes that all others sent, minus those of an equal time without the attack. Bytes that a mesh passed on are not counted. */
  readonly honestBytes: number
  /** `honestBytes` divided by `strangerBytes`; 0 when honest peers sent nothing more. */
  readonly factor: number
}

export interface AmplificationOptions {
  /** Begins the attack. */
  readonly attack: () => Ending
  /** Length of each of the two times, milliseconds. The attack takes the first half of the second one. */
  readonly for: number
}

/**
 * Measures how many bytes honest peers send for each byte of the strangers. It watches them for some time, and for an equal time
 * with the attack. The figure is exact when the peers do the same in both times.
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
