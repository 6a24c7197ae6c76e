/** The reason of a gap, in words for the user. */
export const causes: Readonly<Record<string, string>> = {
  missing: 'they did not arrive',
  disconnected: 'for a while no peer of the topic was connected',
  overflow: 'the network engine dropped some',
  queue: 'the reader of this output is too slow',
  full: 'more peers are here than this room takes'
}
