/** It is a torrent, but it cannot be imported here. */
export class UnsupportedTorrent extends Error {}
