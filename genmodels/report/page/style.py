"""The look of the HTML report: light and dark, on paper and on narrow screens."""

from __future__ import annotations

from genmodels.report.page.canvas import COPIES, REAL, SYNTHETIC, THIRD

__all__ = ["STYLE"]

STYLE = f"""
:root{{color-scheme:light dark;--ink:#1c2024;--dim:#5b6470;--line:#d9dde2;--soft:#f4f6f8;
--page:#fff;--good:#0b6b53;--fair:#3f6212;--poor:#9a4a00;--bad:#a3161a;--none:#5b6470;
--held:{REAL};--synthetic:{SYNTHETIC};--third:{THIRD};--independent:#4d4d4d;--copies:{COPIES}}}
@media (prefers-color-scheme:dark){{:root{{--ink:#e6e8ea;--dim:#a3acb6;--line:#3a4048;
--soft:#1e2328;--page:#14171a;--good:#5fd0a8;--fair:#b6d467;--poor:#ffb15c;--bad:#ff8a80;
--none:#a3acb6;--held:#5ab4f0;--synthetic:#ff8f4a;--independent:#c4c4c4;--copies:#e6a5c9}}}}
*{{box-sizing:border-box}}
body{{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);
max-width:76rem;margin:1.6rem auto;padding:0 1.2rem}}
h1{{font-size:1.55rem;line-height:1.25;margin:0 0 .2rem}}
h2{{font-size:1.2rem;margin:2.4rem 0 .3rem;padding-top:.6rem;border-top:1px solid var(--line)}}
h1,h2,p,li,td,figcaption,summary{{overflow-wrap:anywhere;unicode-bidi:isolate}}
th{{overflow-wrap:break-word;unicode-bidi:isolate}}
p{{margin:.3rem 0;max-width:60rem}}a{{color:inherit}}
.dim,.note{{color:var(--dim);font-size:.84rem}}
.axes{{margin:1rem 0;border:1px solid var(--line);border-radius:.5rem;background:var(--soft)}}
.axis{{display:grid;grid-template-columns:7.5rem 11.5rem 1fr 150px;gap:.2rem 1rem;align-items:start;
padding:.65rem 1rem;border-bottom:1px solid var(--line);break-inside:avoid}}
.axis:last-child{{border-bottom:0}}.axis>b{{font-size:1.02rem}}.axis p{{margin:0}}
.axis .dim{{margin-top:.15rem}}.axis.untested{{color:var(--dim)}}
.chip{{display:inline-block;font-size:.8rem;font-weight:600;line-height:1.3;padding:.12rem .55rem;
border-radius:.8rem;border:1.5px solid currentColor;color:var(--none);background:var(--page)}}
.chip.level{{color:var(--good)}}.chip.close{{color:var(--fair)}}.chip.worse{{color:var(--poor)}}
.chip.bad,.chip.floor,.chip.beyond{{color:var(--page);background:var(--bad);
border-color:var(--bad)}}
.chip.unknown,.chip.untested,.chip.unsure{{border-style:dashed}}
td .chip{{font-size:.76rem}}td.chips{{min-width:7.2rem;overflow-wrap:normal}}
.figures th,.figures td{{padding:.3rem .38rem}}.figures{{font-size:.82rem}}
.figures svg{{width:124px;height:auto}}
.ends{{display:flex;justify-content:space-between;width:150px;font-size:.7rem;color:var(--dim);
margin-top:-.25rem}}
.remarks{{margin:.8rem 0;padding:.5rem 1rem .5rem 2rem;border-left:4px solid var(--line)}}
nav ol{{columns:17rem;column-gap:2.4rem;padding-left:1.4rem;font-size:.9rem;margin:.4rem 0}}
nav li{{break-inside:avoid;margin:.15rem 0}}nav .chip{{font-size:.7rem;padding:0 .4rem}}
table{{border-collapse:collapse;font-size:.85rem;margin:.6rem 0}}
.wide{{overflow-x:auto}}
th,td{{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;
max-width:28rem}}
th{{color:var(--dim);font-weight:600;font-size:.78rem;vertical-align:bottom}}
td.n,th.n{{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}}
tr.figure>td{{border-bottom:0;padding-top:.5rem}}
tr.figure:not(:has(+tr.said))>td{{border-bottom:1px solid var(--line)}}
.figures tr.said>td{{padding-top:0;max-width:none}}
td.v{{font-weight:700}}td.name{{min-width:11.5rem}}tr.quiet td.name>span{{color:var(--dim)}}
tr{{break-inside:avoid}}
.key{{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;align-items:center;font-size:.84rem;
color:var(--dim)}}.key svg{{vertical-align:middle}}
.pictures{{display:flex;flex-wrap:wrap;gap:.8rem;margin:.6rem 0}}
figure{{margin:0;max-width:15rem;break-inside:avoid}}figure.large{{max-width:100%}}
figcaption{{font-size:.76rem;color:var(--dim);max-width:46rem}}
img{{max-width:100%;height:auto;background:#fff;border-radius:.2rem;display:block}}
details{{margin:.5rem 0}}summary{{cursor:pointer;font-size:.9rem}}
svg.strip{{display:block}}svg .track{{stroke:var(--line);stroke-width:3;stroke-linecap:round}}
svg .range{{stroke:var(--synthetic);stroke-width:3.5;opacity:.55}}
svg .held{{stroke:var(--held);stroke-width:2.5}}svg .synthetic{{fill:var(--synthetic)}}
svg .independent{{fill:var(--independent)}}svg .copies{{fill:var(--copies)}}
svg .simple{{fill:var(--third)}}
.real{{color:var(--held)}}.made{{color:var(--synthetic)}}.third{{color:var(--third)}}
@media (max-width:52rem){{.axis{{grid-template-columns:1fr auto}}
.axis>div{{grid-column:1/-1}}body{{padding:0 .7rem;margin:.8rem auto}}
th,td{{padding:.25rem .4rem}}}}
@media print{{body{{font-size:11px;max-width:none;margin:0}}nav{{display:none}}
details::details-content{{content-visibility:visible;block-size:auto}}.wide{{overflow:visible}}
.chip{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}}}
"""
