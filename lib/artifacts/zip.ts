// Reads zip archives by range: the directory first, then only the members asked for (.npz files, torch checkpoints).
import { inflateSync } from "fflate";
import { crc32 } from "node:zlib";
import { type ByteSource, rangeSource } from "./byte-source.ts";
import { ArtifactError } from "./errors.ts";

export interface ZipMember {
  name: string;
  /** 0 stored, 8 deflated; others are refused when read. */
  method: number;
  crc32: number;
  compressedSizeBytes: number;
  sizeBytes: number;
  localHeaderOffset: number;
}

const endSignature = 0x06054b50;
const end64LocatorSignature = 0x07064b50;
const end64Signature = 0x06064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;
/** Deflate cannot do better than this; a larger claim is an attempt to exhaust the memory. */
const maxDeflateRatio = 1032;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function badZip(source: ByteSource, reason: string): ArtifactError {
  return new ArtifactError("bad-zip", `${source.label}: ${reason}. Copy or download the file again.`);
}

/** The members by name, from the central directory; zip64 is understood, encryption and split archives are refused. */
export function readZipDirectory(source: ByteSource): Map<string, ZipMember> {
  const { entryCount, offset, sizeBytes } = findDirectory(source);
  if (offset + sizeBytes > source.sizeBytes) throw badZip(source, "the zip directory lies outside the file");
  const directory = source.read(offset, sizeBytes);
  const view = viewOf(directory);
  const members = new Map<string, ZipMember>();
  let at = 0;
  for (let i = 0; i < entryCount; i++) {
    if (at + 46 > sizeBytes || view.getUint32(at, true) !== centralSignature) {
      throw badZip(source, `entry ${i} of the zip directory is damaged`);
    }
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const next = at + 46 + nameSize + extraSize + commentSize;
    if (next > sizeBytes) throw badZip(source, `entry ${i} of the zip directory is cut off`);
    const name = Buffer.from(directory.subarray(at + 46, at + 46 + nameSize)).toString("utf8");
    if (view.getUint16(at + 8, true) & 1) throw badZip(source, `member ${name} is encrypted`);
    if (members.has(name)) throw new ArtifactError("duplicate-key", `${source.label}: has two members named ${name}.`);
    const extra = directory.subarray(at + 46 + nameSize, at + 46 + nameSize + extraSize);
    const [size, compressedSize, localHeaderOffset] = widen(source, extra, [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ]);
    members.set(name, {
      name,
      method: view.getUint16(at + 10, true),
      crc32: view.getUint32(at + 16, true),
      compressedSizeBytes: compressedSize,
      sizeBytes: size,
      localHeaderOffset,
    });
    at = next;
  }
  return members;
}

/** The whole content of a member, inflated if need be, its checksum verified. */
export function readZipMember(source: ByteSource, member: ZipMember): Uint8Array {
  const stored = source.read(memberOffset(source, member), member.compressedSizeBytes);
  if (member.method !== 0 && member.method !== 8) {
    throw badZip(source, `member ${member.name} uses compression method ${member.method}, wanted stored or deflated`);
  }
  let bytes = stored;
  if (member.method === 8) {
    if (member.sizeBytes > (member.compressedSizeBytes + 1) * maxDeflateRatio) {
      throw badZip(source, `member ${member.name} claims ${member.sizeBytes} bytes, more than it can hold`);
    }
    try {
      bytes = inflateSync(stored, { out: new Uint8Array(member.sizeBytes) });
    } catch (cause) {
      throw new ArtifactError("bad-checksum", `${source.label}: member ${member.name} cannot be inflated.`, { cause });
    }
  }
  if (bytes.byteLength !== member.sizeBytes || crc32(bytes) !== member.crc32) {
    throw new ArtifactError("bad-checksum", `${source.label}: member ${member.name} does not match its CRC-32.`);
  }
  return bytes;
}

/** A source for one stored member, which can be read by range without loading the rest. */
export function zipMemberSource(source: ByteSource, member: ZipMember): ByteSource {
  if (member.method !== 0) {
    throw badZip(source, `member ${member.name} is compressed and cannot be read by range`);
  }
  return rangeSource(source, memberOffset(source, member), member.sizeBytes, `${source.label}:${member.name}`);
}

function memberOffset(source: ByteSource, member: ZipMember): number {
  const header = viewOf(source.read(member.localHeaderOffset, 30));
  if (header.getUint32(0, true) !== localSignature) throw badZip(source, `member ${member.name} has no local header`);
  return member.localHeaderOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
}

function findDirectory(source: ByteSource): { entryCount: number; offset: number; sizeBytes: number } {
  // The end record has 22 bytes and a comment of at most 65,535.
  const tailSize = Math.min(source.sizeBytes, 22 + 0xffff);
  const tailOffset = source.sizeBytes - tailSize;
  const tail = viewOf(source.read(tailOffset, tailSize));
  let at = tailSize - 22;
  while (at >= 0 && tail.getUint32(at, true) !== endSignature) at--;
  if (at < 0) throw badZip(source, "no zip directory at its end; the file is incomplete");
  const found = {
    entryCount: tail.getUint16(at + 10, true),
    sizeBytes: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const locatorOffset = tailOffset + at - 20;
  if (locatorOffset < 0) return found;
  const locator = viewOf(source.read(locatorOffset, 20));
  if (locator.getUint32(0, true) !== end64LocatorSignature) return found;
  const end64 = viewOf(source.read(Number(locator.getBigUint64(8, true)), 56));
  if (end64.getUint32(0, true) !== end64Signature) throw badZip(source, "the zip64 end record is damaged");
  return {
    entryCount: Number(end64.getBigUint64(32, true)),
    sizeBytes: Number(end64.getBigUint64(40, true)),
    offset: Number(end64.getBigUint64(48, true)),
  };
}

/** Replaces 32-bit fields that say "too large" by the 64-bit values of the zip64 extra field, in order. */
function widen(source: ByteSource, extra: Uint8Array, fields: number[]): number[] {
  if (!fields.includes(0xffffffff)) return fields;
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    return fields.map((field) => {
      if (field !== 0xffffffff) return field;
      if (next + 8 > extra.byteLength) throw badZip(source, "a zip64 field is cut off");
      next += 8;
      return Number(view.getBigUint64(next - 8, true));
    });
  }
  throw badZip(source, "a zip64 field is missing");
}
