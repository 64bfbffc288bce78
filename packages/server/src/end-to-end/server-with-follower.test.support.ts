// A server as a process of its own, with a follower that writes into the file at ROLLCALL_TEST_FOLLOWER_FILE.
import { createRollcall } from '../app.js';
import { readConfig } from '../config/config.js';
import { WritingFollower } from '../register/writing-follower.test.support.js';

const file = process.env['ROLLCALL_TEST_FOLLOWER_FILE'];
if (file === undefined) throw new Error('ROLLCALL_TEST_FOLLOWER_FILE is not set');
const { port } = await createRollcall(readConfig(process.env), { followers: [new WritingFollower(file)] }).start();
process.stdout.write(`running on port ${port}\n`);
