import type { Ending, Simulator } from '../simulator.ts'

export interface Amplification {
  /** What the strangers sent, bytes. */
  readonly strangerBytes: number
  /** What all others sent beyond what they send without the attack, bytes. What a mesh passes on is not counted. */
  readonly honestBytes: number
  /** `honestBytes` divided by `strangerBytes`; 0 when honest peers sent nothing more. */
  readonly factor: number
}

export interface AmplificationOptions {
  /** Begins the attack. */
  readonly attack: () => Ending
  /** Milliseconds to watch without the attack, and again with it; it lasts for the first half of the latter. */
  readonly for: number
}

/**
 * How many bytes the other peers send for each byte of the strangers: they are watched for some time, and again as long while
 * strangers attack. Peers that do the same in both times give the truest figure.
 */
export async function measureAmplification(
  simulator: Simulator,
  options: AmplificationOptions
): Promise<Amplification> {
  const honest = (): number => {
    const { sentBytes, relayedBytes } = simulator.traffic()
    return sentBytes - relayedBytes
  }
  const everybody = (): number => simulator.traffic(simulator.hosts.map(({ id }) => id)).sentBytes
  const strangers = (): number => everybody() - simulator.traffic().sentBytes

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
