/** It is a torrent, but not one that can be taken in here. */
export class UnsupportedTorrent extends Error {}
