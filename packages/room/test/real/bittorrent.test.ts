import { roomOver } from './suite.ts'

roomOver('bittorrent')
