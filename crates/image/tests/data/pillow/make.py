"""Makes the photos in this folder and what Pillow shows of each, as small PNGs, with manifest.csv.

    pip install pillow==13.0.0 && python make.py

What is right: Pillow's pixels, turned upright, brought from the embedded profile to sRGB (littleCMS, perceptual), on white.
Profiles are written here from their published primaries; the one for inks is the plain formula as a table.
"""

import io
import struct
import zlib

from PIL import Image, ImageCms, ImageOps, TiffImagePlugin

W, H = 40, 30


def picture(w=W, h=H):
    """No symmetry, saturated colours, a dark block near a corner."""
    image = Image.new("RGB", (w, h))
    for y in range(h):
        for x in range(w):
            fx, fy = x / w, y / h
            value = (int(40 + 210 * fx), int(30 + 200 * fy), int(230 - 200 * fx * fy))
            if 0.1 < fx < 0.35 and 0.05 < fy < 0.4:
                value = (20, 30, 90)
            if 0.6 < fx < 0.9 and 0.6 < fy < 0.9:
                value = (30, 200, 60)
            image.putpixel((x, y), value)
    return image


# --- colour profiles ------------------------------------------------------------------------------------------------

D50 = (0.9642, 1.0, 0.8249)


def s15(value):
    return struct.pack(">i", round(value * 65536))


def xyz_tag(values):
    return b"XYZ \0\0\0\0" + b"".join(s15(v) for v in values)


def para(kind, *numbers):
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(s15(n) for n in numbers)


def gamma(value):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def profile(space, tags, pcs=b"XYZ ", kind=b"mntr", version=0x04200000):
    tags = [(b"desc", b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", 8, 28) + "made".encode("utf-16-be"))] + tags
    at, table, data = 132 + 12 * len(tags), b"", b""
    for name, content in tags:
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", at + len(data), len(content))
        data += content
    head = struct.pack(">I4sI4s4s4s", 0, b"none", version, kind, space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + b"".join(s15(v) for v in D50)
    head = head.ljust(128, b"\0") + struct.pack(">I", len(tags))
    whole = head + table + data
    return struct.pack(">I", len(whole)) + whole[4:]


def rgb_profile(red, green, blue, curve):
    tags = [(b"wtpt", xyz_tag(D50))]
    tags += [(name, xyz_tag(v)) for name, v in zip((b"rXYZ", b"gXYZ", b"bXYZ"), (red, green, blue))]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    return profile(b"RGB ", tags)


SRGB_CURVE = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
P3 = rgb_profile((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407), SRGB_CURVE)
ADOBE = rgb_profile((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), gamma(2.19921875))
PROPHOTO = rgb_profile((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491), gamma(1.8))
GREY = profile(b"GRAY", [(b"wtpt", xyz_tag(D50)), (b"kTRC", gamma(1.4))])


def lab_bytes(rgb):
    def linear(v):
        v /= 255
        return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(v) for v in rgb)
    xyz = (
        0.4360747 * r + 0.3850649 * g + 0.1430804 * b,
        0.2225045 * r + 0.7168786 * g + 0.0606169 * b,
        0.0139322 * r + 0.0971045 * g + 0.7141733 * b,
    )
    f = [(v / w) ** (1 / 3) if v / w > 216 / 24389 else (24389 / 27 * v / w + 16) / 116 for v, w in zip(xyz, D50)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def inks_profile():
    """Seven steps of each ink; more yellow than the plain formula has, so that a profile that is not used shows."""
    n = 7
    grid = bytearray()
    for c in range(n):
        for m in range(n):
            for y in range(n):
                for k in range(n):
                    light = [255 * (1 - 0.95 * v / (n - 1)) * (1 - 0.9 * k / (n - 1)) for v in (c, m, y)]
                    lightness, a, b = lab_bytes((light[0], light[1] * 0.9, light[2] * 0.8))
                    grid += bytes([round(lightness * 2.55), round(a + 128), round(b + 128)])
    line = bytes(range(256))
    one, zero = s15(1.0), s15(0.0)
    matrix = one + zero * 3 + one + zero * 3 + one
    table = b"mft1\0\0\0\0" + bytes([4, 3, n, 0]) + matrix + line * 4 + bytes(grid) + line * 3
    return profile(b"CMYK", [(b"wtpt", xyz_tag(D50)), (b"A2B0", table)], b"Lab ", b"prtr", 0x02400000)


INKS = inks_profile()

# --- files ----------------------------------------------------------------------------------------------------------


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation, kind=3, count=1, entries=1, before=(), after=(), tail=b"\0\0\0\0"):
    """A block whose directory has an orientation of any type, says that it has `entries`, and has others around it."""
    value = struct.pack({1: "<B3x", 3: "<H2x", 4: "<I", 9: "<i", 8: "<h2x"}[kind], orientation)
    entry = struct.pack("<HHI", 0x112, kind, count) + value
    return b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + b"".join(before) + entry + b"".join(after) + tail


def jpeg_with(jpeg, *segments):
    return jpeg[:2] + b"".join(bytes([0xFF, m]) + struct.pack(">H", len(c) + 2) + c for m, c in segments) + jpeg[2:]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(png, *chunks):
    return png[:33] + b"".join(chunk(*c) for c in chunks) + png[33:]


def raw_profile(name, content):
    digits = content.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return f"\n{name}\n{len(content):8}\n{lines}\n".encode()


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'
XMP_ELEMENT = b"<rdf:Description><tiff:Orientation>%d</tiff:Orientation></rdf:Description>"
P = picture()
STORED = P.transpose(Image.Transpose.ROTATE_90)  # orientation 6 turns it upright
JPEG = saved(P, "JPEG", quality=95, subsampling=0)
TURNED = saved(STORED, "JPEG", quality=95, subsampling=0)
PNG, PNG_TURNED = saved(P, "PNG"), saved(STORED, "PNG")
APP1 = 0xE1
FILES = {}


def jpegs():
    other = struct.pack("<HHIH2x", 0x128, 3, 1, 2)
    FILES.update({
        "baseline.jpg": JPEG,
        "progressive.jpg": saved(P, "JPEG", quality=95, progressive=True, subsampling=0),
        "grey.jpg": saved(P.convert("L"), "JPEG", quality=95),
        "cmyk.jpg": saved(P.convert("CMYK"), "JPEG", quality=95),
        "no-end.jpg": JPEG[:-2],
        "no-end-progressive.jpg": saved(P, "JPEG", quality=95, progressive=True, subsampling=0)[:-2],
        "no-end-trailer.jpg": JPEG[:-2] + b"\0" * 16 + b"SEFHj\0\0\0\x01\0\0\0SEFT",
        "trailer-seft.jpg": JPEG + b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1700000000000SEFHj\0\0\0SEFT",
        "trailer-jpeg.jpg": JPEG + b"\0" * 9 + TURNED,
        "trailer-mp4.jpg": JPEG + b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\xff\xd8\xff\xda" * 9,
        "exif-count.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0" + exif(6, entries=900, tail=b""))),
        "exif-slong.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0" + exif(6, kind=9))),
        "exif-sshort.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0" + exif(6, kind=8))),
        "exif-rational.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0II*\0\x08\0\0\0\1\0" + struct.pack("<HHIIIII", 0x112, 5, 1, 26, 0, 12, 2))),
        "exif-byte.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0" + exif(6, kind=1))),
        "exif-twice.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0" + exif(6, entries=2, after=[struct.pack("<HHIH2x", 0x112, 3, 1, 3)]))),
        "exif-odd-type-first.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0" + exif(6, entries=2, before=[struct.pack("<HHIH2x", 0x112, 99, 1, 3)]))),
        "exif-prefix-twice.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0Exif\0\0" + exif(6))),
        "exif-two-blocks.jpg": jpeg_with(TURNED, (APP1, b"Exif\0\0" + exif(6)), (APP1, b"Exif\0\0" + exif(3))),
        "exif-nine.jpg": jpeg_with(JPEG, (APP1, b"Exif\0\0" + exif(9)), (APP1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 6)),
        "xmp.jpg": jpeg_with(TURNED, (APP1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 6)),
        "xmp-element.jpg": jpeg_with(TURNED, (APP1, b"http://ns.adobe.com/xap/1.0/\0" + XMP_ELEMENT % 6)),
        "xmp-beside-exif.jpg": jpeg_with(TURNED, (APP1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % 6), (APP1, b"Exif\0\0II*\0\x08\0\0\0\x01\0" + other + b"\0\0\0\0")),
        "p3.jpg": saved(P, "JPEG", quality=95, subsampling=0, icc_profile=P3),
        "adobe-rgb.jpg": saved(P, "JPEG", quality=95, subsampling=0, icc_profile=ADOBE),
        "prophoto.jpg": saved(P, "JPEG", quality=95, subsampling=0, icc_profile=PROPHOTO),
        "grey-profile.jpg": saved(P.convert("L"), "JPEG", quality=95, icc_profile=GREY),
        "cmyk-profile.jpg": saved(P.convert("CMYK"), "JPEG", quality=95, icc_profile=INKS),
        "profile-broken.jpg": saved(P, "JPEG", quality=95, subsampling=0, icc_profile=P3[:200]),
        "profile-of-inks.jpg": saved(P, "JPEG", quality=95, subsampling=0, icc_profile=INKS[:4000]),
    })


def pngs():
    alpha = P.copy()
    alpha.putalpha(Image.linear_gradient("L").resize((W, H)))
    FILES.update({
        "rgb.png": PNG,
        "rgba.png": saved(alpha, "PNG"),
        "palette.png": saved(P.quantize(200), "PNG"),
        "one-bit.png": saved(P.convert("1"), "PNG"),
        "no-end.png": PNG[:-12],
        "no-end-crc.png": PNG[:-4],
        "cut-behind-pixels.png": PNG[:-12] + b"\0\0\1\0tEXt",
        "exif.png": png_with(PNG_TURNED, (b"eXIf", exif(6, entries=900, tail=b""))),
        "exif-behind.png": PNG_TURNED[:-12] + chunk(b"eXIf", exif(6)) + PNG_TURNED[-12:],
        "raw-exif-ztxt.png": png_with(PNG_TURNED, (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw_profile("exif", b"Exif\0\0" + exif(6))))),
        "raw-exif-text.png": png_with(PNG_TURNED, (b"tEXt", b"Raw profile type exif\0" + raw_profile("exif", b"Exif\0\0" + exif(6)))),
        "raw-exif-itxt.png": png_with(PNG_TURNED, (b"iTXt", b"Raw profile type exif\0\1\0\0\0" + zlib.compress(raw_profile("exif", b"Exif\0\0" + exif(6))))),
        "xmp.png": png_with(PNG_TURNED, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP % 6)),
        "p3.png": saved(P, "PNG", icc_profile=P3),
        "grey-profile.png": saved(P.convert("L"), "PNG", icc_profile=GREY),
    })


def webps():
    lossless = dict(lossless=True, exact=True)
    extended = bytearray(saved(P, "WEBP", **lossless, exif=b"Exif\0\0" + exif(1)))
    at = extended.index(b"EXIF")
    bare = extended[:at]
    bare[4:8] = struct.pack("<I", len(bare) - 8)

    def flags(more):
        return bytes(bare[:20]) + bytes([bare[20] & ~0x3E | more]) + bytes(bare[21:])

    FILES.update({
        "lossy.webp": saved(P, "WEBP", quality=95),
        "lossless.webp": saved(P, "WEBP", **lossless),
        "exif.webp": saved(STORED, "WEBP", **lossless, exif=b"Exif\0\0" + exif(6)),
        "xmp.webp": saved(STORED, "WEBP", **lossless, xmp=XMP % 6),
        "p3.webp": saved(P, "WEBP", **lossless, icc_profile=P3),
        "flag-exif.webp": flags(0x08),
        "flag-xmp.webp": flags(0x04),
        "flag-profile.webp": flags(0x20),
        "flag-all.webp": flags(0x2C),
    })


def gifs():
    gif = bytearray(saved(P.quantize(128), "GIF"))

    def screen(w, h):
        return bytes(gif[:6]) + struct.pack("<HH", w, h) + bytes(gif[10:])

    frame = gif.index(b"\x2c\0\0\0\0" + struct.pack("<HH", W, H))
    moved = bytearray(screen(20, 10))
    moved[frame + 1 : frame + 5] = struct.pack("<HH", 6, 4)
    FILES.update({"plain.gif": bytes(gif), "screen-small.gif": screen(16, 50), "screen-zero.gif": screen(0, 0), "screen-small-moved.gif": bytes(moved)})


def bmps():
    plain = saved(P, "BMP")
    indexed = saved(P.quantize(16).convert("P"), "BMP")
    pixels = struct.unpack("<I", indexed[10:14])[0]
    colours = (pixels - 54) // 4
    palette = indexed[54:pixels]

    def with_palette(header, more):
        """The indexed picture under another header, with entries behind its palette that no pixel names."""
        body = header + palette.ljust(1024, b"\0") + b"\xff" * 4 * more
        return b"BM" + struct.pack("<IHHI", 14 + len(body) + len(indexed) - pixels, 0, 0, 14 + len(body)) + body + indexed[pixels:]

    info = bytearray(indexed[14:54])
    info[32:36] = struct.pack("<I", 256 + 44)
    os2 = struct.pack("<IIIHHIIIIII", 64, W, H, 1, 8, 0, 0, 0, 0, 256, 0) + b"\0" * 24
    short = struct.pack("<IIIHH", 16, W, H, 1, 8)
    rgba = P.copy()
    rgba.putalpha(Image.linear_gradient("L").resize((W, H)))
    bgra = rgba.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")

    def v(length, compression):
        masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        header = struct.pack("<IiiHHIIiiII", length, W, H, 1, 32, compression, 0, 0, 0, 0, 0) + masks
        body = header.ljust(length, b"\0") + bgra
        return b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 14 + length) + body

    FILES.update({
        "plain.bmp": plain,
        "palette.bmp": indexed,
        "palette-long.bmp": with_palette(bytes(info), 44),
        "os2-v2.bmp": with_palette(os2, 0),
        "os2-v2-short.bmp": with_palette(short, 0),
        "v3-alpha-rgb.bmp": v(56, 0),
        "v4-alpha-rgb.bmp": v(108, 0),
        "v5-alpha-rgb.bmp": v(124, 0),
        "v5-alpha-masks.bmp": v(124, 3),
    })
    assert colours > 0
    # What Pillow does not read so: the right pixels are those of the same picture in another coding.
    same = {"no-end.jpg": "baseline.jpg", "no-end-trailer.jpg": "baseline.jpg", "no-end-progressive.jpg": "progressive.jpg", "os2-v2-short.bmp": "os2-v2.bmp", "cut-behind-pixels.png": "rgb.png", "no-end-crc.png": "rgb.png", "no-end.png": "rgb.png"}
    same["palette-long.bmp"] = "palette.bmp"
    same.update({name: "v5-alpha-masks.bmp" for name in ("v3-alpha-rgb.bmp", "v4-alpha-rgb.bmp", "v5-alpha-rgb.bmp")})
    return same


def tiffs():
    grey_alpha = P.convert("LA")
    grey_alpha.putalpha(Image.linear_gradient("L").resize((W, H)))
    lab = ImageCms.profileToProfile(P, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB")
    turned = TiffImagePlugin.ImageFileDirectory_v2()
    turned[0x112] = 6
    FILES.update({
        "rgb.tif": saved(P, "TIFF"),
        "lzw.tif": saved(P, "TIFF", compression="tiff_lzw"),
        "palette.tif": saved(P.quantize(200), "TIFF"),
        "palette-lzw.tif": saved(P.quantize(200), "TIFF", compression="tiff_lzw"),
        "jpeg.tif": saved(P, "TIFF", compression="jpeg", quality=95),
        "jpeg-grey.tif": saved(P.convert("L"), "TIFF", compression="jpeg", quality=95),
        "grey-alpha.tif": saved(grey_alpha, "TIFF"),
        "grey-alpha-deflate.tif": saved(grey_alpha, "TIFF", compression="tiff_adobe_deflate"),
        "jpeg-luma.tif": saved(P.convert("YCbCr"), "TIFF", compression="jpeg", quality=95),
        "lab.tif": saved(lab, "TIFF"),
        "cmyk.tif": saved(P.convert("CMYK"), "TIFF"),
        "cmyk-profile.tif": saved(P.convert("CMYK"), "TIFF", icc_profile=INKS),
        "p3.tif": saved(P, "TIFF", icc_profile=P3),
        "one-bit.tif": saved(P.convert("1"), "TIFF"),
        "turned.tif": saved(STORED, "TIFF", tiffinfo=turned),
        "xmp.tif": saved(STORED, "TIFF", tiffinfo={700: XMP % 6}),
    })


def placed(size, left, top):
    """The GIF's picture where its frame lies, on white: Pillow paints the rest with the palette's first colour."""
    image = Image.new("RGB", size, (255, 255, 255))
    image.paste(Image.open(io.BytesIO(FILES["plain.gif"])).convert("RGB"), (left, top))
    return image


def right(name, data):
    if name == "screen-small.gif":
        return placed((W, 50), 0, 0)
    if name == "screen-small-moved.gif":
        return placed((W + 6, H + 4), 6, 4)
    image = Image.open(io.BytesIO(data))
    image.load()
    icc = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode == "LAB":
        image = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB")
    elif icc and not name.startswith("profile-"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return image.convert("RGB")


def main():
    jpegs(), pngs(), webps(), gifs(), tiffs()
    same = bmps()
    ready, lines = {}, ["file,right"]
    for name in sorted(FILES):
        data = FILES[name]
        open(name, "wb").write(data)
        pixels = right(name, FILES[same.get(name, name)])
        key = (pixels.size, pixels.tobytes())
        if key not in ready:
            ready[key] = name + ".right.png"
            pixels.save(ready[key], optimize=True)
        lines.append(f"{name},{ready[key]}")
    open("manifest.csv", "w").write("\n".join(lines) + "\n")


main()
