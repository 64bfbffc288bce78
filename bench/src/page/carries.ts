import type { PublishedRow } from './published.js';

/**
 * What one machine carries, in sentences for somebody who wants to know how large a machine to buy. Each sentence is
 * made of the medians of one workload, and is left out while that workload isn't measured.
 */
export function carries(rows: readonly PublishedRow[]): string {
  const rollcall = (workload: string, figure: string): number | undefined =>
    rows.find(({ name }) => name === workload)?.figures?.[figure]?.['D']?.median;
  const sentences = [
    sentence(
      rollcall('join-storm-15000', 'ms'),
      (ms) =>
        `**One laptop-sized server carries 15,000 students in one session**: when all of them connect and check in at the same moment, the teacher’s screen has every one of them after ${seconds(ms)} s.`,
    ),
    sentence(
      rollcall('hall-15000', 'last'),
      (ms) => `A mark then usually takes ${seconds(ms)} s to reach the last of 15,000 screens.`,
    ),
    sentence(
      rollcall('memory-10000', 'rss'),
      (bytes) => `Each connected student takes ${Math.round(bytes / 1_000)} kB of the server’s memory.`,
    ),
    sentence(
      rollcall('latency-30', 'p99'),
      (ms) =>
        `In a class of 30, 99 of 100 check-ins are on the teacher’s screen within ${Math.ceil(ms)} ms, without what the network takes.`,
    ),
    sentence(
      rollcall('marks-16x16', 'marksPerSecond'),
      (marks) =>
        `With 16 classes marking as fast as they can, the server stores ${(Math.round(marks / 1_000) * 1_000).toLocaleString('en')} marks a second, each on the disk before it is confirmed.`,
    ),
  ];
  return sentences.filter((text) => text !== undefined).join(' ');
}

const sentence = (value: number | undefined, text: (value: number) => string): string | undefined =>
  value === undefined ? undefined : text(value);

const seconds = (ms: number): string => (Math.ceil(ms / 100) / 10).toLocaleString('en');
